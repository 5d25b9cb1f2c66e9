-- A batch looks for a few dozen rows by their keys. Statistics from when the tables were small make the planner read them
-- whole, with all the versions that a busy hour leaves behind.
alter function lock_inbound(uuid[], text[], uuid[], uuid[], uuid[], text[], uuid[], text[], json, uuid[], text[], uuid[])
  set enable_seqscan = off;
alter function lock_inbound(uuid[], text[], uuid[], uuid[], uuid[], text[], uuid[], text[], json, uuid[], text[], uuid[])
  set enable_hashjoin = off;
alter function lock_inbound(uuid[], text[], uuid[], uuid[], uuid[], text[], uuid[], text[], json, uuid[], text[], uuid[])
  set enable_mergejoin = off;
