/// The text of the server's configuration files. Both are written anew at every start, so that they always say what the
/// options say; `ALTER SYSTEM` (postgresql.auto.conf) is left alone.
struct ClusterConfiguration {
    let options: ClusterOptions
    let socketFolder: String
    let port: Int

    /// `postgresql.conf`.
    var settings: String {
        var values: [String: String] = [
            "unix_socket_directories": socketFolder, "unix_socket_permissions": "0700", "port": String(port),
            "listen_addresses": "", "max_connections": String(options.maxConnections),
            "password_encryption": "scram-sha-256",
            // Durable: an answered append has to survive a power cut.
            "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
            // For a box that other programs share.
            "shared_buffers": "256MB", "effective_cache_size": "1GB", "maintenance_work_mem": "64MB", "jit": "off",
            "random_page_cost": "1.1", "max_wal_size": "2GB", "min_wal_size": "256MB", "checkpoint_timeout": "15min",
            "dynamic_shared_memory_type": "posix",
            // Seven files, one per weekday, each started afresh: the log cannot fill the disk.
            "logging_collector": "on", "log_directory": "log", "log_filename": "server-%a.log", "log_file_mode": "0600",
            "log_truncate_on_rotation": "on", "log_rotation_age": "1d", "log_rotation_size": "0",
            "log_statement": "none", "log_checkpoints": "off", "log_timezone": "UTC",
            "timezone": "UTC", "datestyle": "iso, ymd", "lc_messages": "C",
            "default_text_search_config": "pg_catalog.english",
        ]
        if options.tcp != .off { values["listen_addresses"] = "127.0.0.1" }
        if options.tls != nil {
            values["ssl"] = "on"
            values["ssl_cert_file"] = ClusterFolder.certificateFile
            values["ssl_key_file"] = ClusterFolder.keyFile
        }
        values.merge(options.settings) { _, given in given }
        let lines = values.sorted { $0.key < $1.key }.map { "\($0.key) = '\($0.value.replacing("'", with: "''"))'" }
        return "# Written by OpenLedger at every start: changes made here do not last.\n" + lines.joined(separator: "\n") + "\n"
    }

    /// `pg_hba.conf`. Over the socket nothing is asked: its folder belongs to the server's account with mode 0700, so only
    /// that account and root can reach it, and both could read any password file that would guard it. Over TCP every
    /// user of the machine could knock, so a password is asked there.
    var accessRules: String {
        var lines = options.accessRules + ["local all all trust", "local replication all trust"]
        if options.tcp != .off { lines.append("host all all 127.0.0.1/32 scram-sha-256") }
        return "# Written by OpenLedger at every start: changes made here do not last.\n" + lines.joined(separator: "\n") + "\n"
    }
}
