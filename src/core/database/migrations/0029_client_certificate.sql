-- What an endpoint is shown that wants to know who delivers: the certificate as it is, its key encrypted.
alter table webhook_endpoints add column client_certificate text, add column client_key bytea;
