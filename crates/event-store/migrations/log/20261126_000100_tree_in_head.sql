-- The Merkle tree (RFC 6962) of exactly the records up to the head's position: its root, and the hashes from which it
-- grows on, 32 bytes for each bit of the position that is set. NULL until the service has computed them, at its first
-- start on a log that is older than they are, or after somebody took them away.
--
-- Not indexed: an update of the row must need no other page than its own.
ALTER TABLE head
    ADD COLUMN root bytea,
    ADD COLUMN compact_range bytea,
    ADD CONSTRAINT head_root_is_a_hash CHECK (octet_length(root) = 32),
    -- Also keeps an appender that knows nothing of trees from moving most heads that have one.
    ADD CONSTRAINT head_range_fits CHECK (octet_length(compact_range) = 32 * bit_count(position::bit(64))),
    ADD CONSTRAINT head_has_a_whole_tree CHECK ((root IS NULL) = (compact_range IS NULL));
UPDATE head SET root = sha256(''), compact_range = '' WHERE position = 0;
