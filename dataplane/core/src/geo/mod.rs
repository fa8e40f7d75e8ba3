//! Where clients are: geo databases compiled to prefix tables.
