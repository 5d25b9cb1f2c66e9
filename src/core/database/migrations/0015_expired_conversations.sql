-- When what was said in it was let go of, since it was over for as long as it is kept.
alter table conversations add column expired_at timestamptz;
