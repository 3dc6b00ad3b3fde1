-- Indicators as the API shows them, with their values.
CREATE TABLE indicators (
    name text PRIMARY KEY,
    -- The frameworks to whose lists its definitions belong.
    frameworks text[] NOT NULL,
    -- Whatever it has values or targets for.
    subjects text[] NOT NULL,
    has_conflicts boolean NOT NULL,
    -- The resource, encoded.
    resource bytea NOT NULL
);
