//! Why a steering document cannot be compiled.

use super::model::Place;
use crate::geo::mmdb::DatabaseError;

/// Why a steering document cannot be compiled: what is wrong, and where.
#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// It is not JSON of the expected shape.
    #[error("the steering document cannot be read: {0}")]
    Document(#[from] serde_json::Error),
    /// Something declared in the site does not hold.
    #[error("{place}{message}")]
    Declared {
        /// Where it is declared, with a colon and a space at the end, or empty.
        place: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A geo database cannot be used.
    #[error("the geo database {path} {reason}")]
    Database {
        /// Its path.
        path: String,
        /// What is wrong with it.
        #[source]
        reason: DatabaseError,
    },
    /// There is more of something than the tables hold.
    #[error("{place}{count} {what}, at most {limit} are possible")]
    Limit {
        /// Where it is declared, with a colon and a space at the end, or empty.
        place: String,
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
}

impl SteerError {
    pub(super) fn declared(place: &Place, message: impl Into<String>) -> SteerError {
        SteerError::Declared { place: place.prefix(), message: message.into() }
    }

    pub(super) fn check_limit(
        place: &Place,
        what: &'static str,
        count: usize,
        limit: usize,
    ) -> Result<(), SteerError> {
        if count <= limit {
            return Ok(());
        }
        Err(SteerError::Limit { place: place.prefix(), what, count, limit })
    }
}
