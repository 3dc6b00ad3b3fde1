-- How far each follower (a projection or a reaction) has come in the log that it follows. A projection's row moves in
-- the transaction that changes its tables.
CREATE TABLE checkpoints (
    follower text COLLATE "C" PRIMARY KEY,
    log text COLLATE "C" NOT NULL,
    -- Epoch of the log when it was read; nil: nothing was read yet.
    epoch uuid NOT NULL,
    -- Position of the last event that had its effect here; 0: none.
    position bigint NOT NULL CHECK (position >= 0),
    -- SHA-256 of the record there, to be found again on resuming; empty at position 0.
    sha256 bytea NOT NULL CHECK (octet_length(sha256) IN (0, 32))
) WITH (fillfactor = 50);
