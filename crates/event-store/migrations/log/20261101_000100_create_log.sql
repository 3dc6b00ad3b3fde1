-- The log: the only truth. Rows of events are written once; the writer has no right to change or delete them.
CREATE TABLE events (
    -- 1, 2, 3, … without a gap, from the head row, never from a sequence.
    position bigint PRIMARY KEY CHECK (position > 0),
    -- Name of the resource. "C": compared as bytes, whatever the database's locale.
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    -- Microseconds since 1970 UTC, as in the record; never falls as positions rise.
    recorded_at_us bigint NOT NULL,
    -- The EventRecord, byte for byte as it is hashed, published and replayed.
    record bytea NOT NULL CHECK (octet_length(record) <= 65535),
    UNIQUE (stream, version)
) WITH (fillfactor = 100);
-- Rows are never updated: let autovacuum freeze them as they come instead of waiting for dead rows.
ALTER TABLE events SET (autovacuum_vacuum_insert_scale_factor = 0.05);

-- Where the log stands: one row, moved by each append from the position it knew.
CREATE TABLE head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    -- Random identity of this history.
    epoch uuid NOT NULL,
    position bigint NOT NULL CHECK (position >= 0),
    recorded_at_us bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO head (epoch, position, recorded_at_us) VALUES (gen_random_uuid(), 0, 0);

-- The histories that this log has had; more than one after a restore.
CREATE TABLE epochs (
    epoch uuid PRIMARY KEY,
    -- Position after which it began.
    began_after bigint NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO epochs (epoch, began_after) SELECT epoch, 0 FROM head;

-- Which request had which effect. An index: it can be made again from the events.
CREATE TABLE requests (
    organisation text COLLATE "C" NOT NULL,
    request_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    first_position bigint NOT NULL,
    events integer NOT NULL CHECK (events > 0),
    PRIMARY KEY (organisation, request_id)
) WITH (fillfactor = 100);
