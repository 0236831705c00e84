-- An answer may have passages of several Datanets: its one event is an access to each of them, `retrieved`.

alter table datanet.accesses drop constraint accesses_position;
alter table datanet.accesses add constraint accesses_position primary key (position, datanet);
