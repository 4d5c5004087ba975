//! A repository's files, at a commit or in the working tree.
