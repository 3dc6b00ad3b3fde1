-- What is known of agreements, with all that is recorded of them.
CREATE TABLE agreement_standings (
    agreement text PRIMARY KEY,
    is_contested boolean NOT NULL,
    -- The agreement as commitments cite it, encoded.
    cited bytea NOT NULL
);
