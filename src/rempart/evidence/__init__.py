"""What was decided and done, sealed so that a third party can verify it alone."""
