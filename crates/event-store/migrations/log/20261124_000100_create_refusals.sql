-- The journal of refusals, beside the log: what was refused for want of a permission, by a rule about persons or about
-- money. The writer may add to it and nothing else; none of it is of the log.
CREATE TABLE refusals (
    -- UUIDv7: in order of time, and the same however often a try to write it is repeated.
    id uuid PRIMARY KEY,
    -- The last where the row stands for several. To the millisecond, as the id has it.
    refused_at timestamptz NOT NULL,
    first_refused_at timestamptz NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    -- PERMISSION, PERSON or MONEY.
    kind text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    -- Amounts, dates and names, never a caller's sentences.
    metadata jsonb NOT NULL CHECK (octet_length(metadata::text) <= 8192),
    organisation text COLLATE "C" NOT NULL,
    -- Who called, by pseudonym; empty where the row stands for several.
    issuer text NOT NULL,
    subject text NOT NULL,
    roles text[] NOT NULL,
    on_behalf_of text NOT NULL,
    method text NOT NULL,
    resource text NOT NULL,
    request_id uuid,
    trace_id text NOT NULL,
    validate_only boolean NOT NULL
) WITH (fillfactor = 100);
-- Rows are never updated, as those of events.
ALTER TABLE refusals SET (autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX refusals_by_organisation ON refusals (organisation, id);
