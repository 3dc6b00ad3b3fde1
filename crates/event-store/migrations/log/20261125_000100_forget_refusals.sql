-- Forgets what was refused before a time, in milliseconds since 1970, and answers how many entries that were. Nothing of
-- the last thirty days is forgotten, whatever time is given: the writer, who may run it, deletes nothing else here, so
-- that whoever makes a service run SQL of their own cannot take away what was refused them.
CREATE FUNCTION forget_refusals(before_ms bigint) RETURNS bigint
LANGUAGE sql
SECURITY DEFINER
SET search_path = log, pg_temp
AS $$
    WITH bound AS (
        SELECT greatest(0, least(before_ms, floor(extract(epoch FROM now() - interval '30 days') * 1000)::bigint)) AS ms
    ), forgotten AS (
        -- The id begins with its time in 48 bits.
        DELETE FROM refusals
        WHERE id < (SELECT (lpad(to_hex(ms), 12, '0') || repeat('0', 20))::uuid FROM bound)
        RETURNING 1
    )
    SELECT count(*) FROM forgotten
$$;
REVOKE ALL ON FUNCTION forget_refusals(bigint) FROM PUBLIC;
