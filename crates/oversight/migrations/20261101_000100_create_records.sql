-- The records of the three logs that can make a difference to a figure. They are folded in memory; this is where they
-- are read from when the service starts.
CREATE TABLE records (
    -- Name of the log.
    log text COLLATE "C" NOT NULL,
    -- Position in it.
    position bigint NOT NULL CHECK (position > 0),
    -- The EventRecord, as decoded and encoded again: the bytes that were hashed are in the log itself.
    record bytea NOT NULL,
    PRIMARY KEY (log, position)
);

-- Which position was the last one at which time: all records of the logs, whether they are kept above or not.
CREATE TABLE times (
    log text COLLATE "C" NOT NULL,
    -- Microseconds since 1970 UTC.
    recorded_at_us bigint NOT NULL,
    -- Last position of the log recorded at that time. Rises with it.
    last_position bigint NOT NULL CHECK (last_position > 0),
    PRIMARY KEY (log, recorded_at_us)
);
CREATE UNIQUE INDEX times_by_position ON times (log, last_position);
