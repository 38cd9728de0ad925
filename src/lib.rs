//! Profile pictures that are already there.
