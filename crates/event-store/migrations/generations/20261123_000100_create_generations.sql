-- The generations of a service's read models, each in a schema of its own, and which of them serves. Times are
-- microseconds since 1970 UTC.
CREATE TABLE generations (
    -- Its schema is <service>_v<version>. Never used again, also after it was dropped.
    version integer PRIMARY KEY CHECK (version > 0),
    -- The shape of its tables: which programs can read and fill them.
    shape integer NOT NULL CHECK (shape > 0),
    made_at_us bigint NOT NULL,
    made_by text NOT NULL,
    -- The last comparison with the generation that served then; null: none since it was made.
    compared_at_us bigint,
    compared_rows bigint,
    differing_rows bigint,
    -- Null: it is there.
    dropped_at_us bigint
);

-- The generation that queries are answered from, and the one before, to which one can go back.
CREATE TABLE live (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    version integer NOT NULL REFERENCES generations,
    previous integer REFERENCES generations,
    since_us bigint NOT NULL,
    switched_by text NOT NULL
);
