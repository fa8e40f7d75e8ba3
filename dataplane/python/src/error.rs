//! The one place where errors of the core become Python exceptions.
//!
//! | core | Python |
//! |---|---|
//! | a value that Python gave is wrong | `ValueError` |
//! | the system refused something | `OSError` with its errno |

use gslb_core::publish::PublishError;
use gslb_core::serve::BindError;
use gslb_core::steer::SteerError;
use gslb_core::wire::NameError;
use gslb_core::zone::build::BuildError;
use gslb_core::zone::reader::FillError;
use gslb_core::zone::update::ChangeError;
use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyValueError};

/// An error on its way to Python.
pub enum Error {
    /// A value is wrong.
    Value(String),
    /// The system refused: errno and what was tried.
    System(i32, String),
}

/// What functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        match error {
            Error::Value(message) => PyValueError::new_err(message),
            Error::System(errno, message) => PyOSError::new_err((errno, message)),
        }
    }
}

macro_rules! value_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Error {
                Error::Value(error.to_string())
            }
        })*
    };
}

value_errors!(NameError, BuildError, ChangeError, PublishError, SteerError, FillError);

impl From<BindError> for Error {
    fn from(error: BindError) -> Error {
        Error::System(error.source.raw_os_error().unwrap_or(0), error.to_string())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::System(error.raw_os_error().unwrap_or(0), error.to_string())
    }
}
