-- When it was canceled: what an earlier time off took along stays so when a later one is made up for.
alter table deliveries add column canceled_at timestamptz;
