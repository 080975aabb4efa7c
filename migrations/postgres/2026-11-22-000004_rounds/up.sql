-- The list of rounds by state also asks for those that ended, and each list goes from the newest down.
CREATE INDEX assessments_by_state_and_id ON assessments (state, id);
