-- Answers to questions that their callers have named: which attempt may answer one now, among all gateways, and how it was told. No read
-- model: the log alone says what was answered and paid. A row that is lost costs a repeat its exact words of how it ended, and nobody money.
create table agent_gateway.named_answers (
    inference  text        not null,
    attempt    text        not null,  -- that answers it, or has
    digest     bytea       not null,  -- SHA-256 of what was asked
    until      timestamptz not null,  -- how long it may answer, unless it says again that it does; once it has, since when
    finish     text,                  -- why the answer ended, once it is on the log
    text_bytes integer,               -- of its text, which its calls follow in what is kept

    constraint named_answers_inference primary key (inference),
    constraint named_answers_digest_length check (octet_length(digest) = 32),
    constraint named_answers_told check ((finish is null) = (text_bytes is null))
);
create index named_answers_until on agent_gateway.named_answers (until);

grant select, insert, update, delete on agent_gateway.named_answers to openledger_agent_gateway;
