-- Whom a kept answer tells of: an erasure empties it. Null of those that an older version kept, for their 24 hours.
alter table idempotency_keys add column about uuid[];
