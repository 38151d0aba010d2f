"""Which of the suspects carries a change: the test is rerun in a copy of the project with them put back one at a time."""
