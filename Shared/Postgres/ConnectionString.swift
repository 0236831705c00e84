internal import CPostgres

extension PostgresConfiguration {
    /// A connection string that can't be used. It never quotes the string: a password may be anywhere in a malformed one.
    public enum ConnectionStringError: Error, Sendable, Equatable, CustomStringConvertible {
        /// Neither a URI nor a list of `key=value`, or one with a keyword that libpq does not know.
        case malformed
        /// A keyword's value is none of those it takes.
        case invalidValue(keyword: String, expected: String)

        /// What is wrong and what a right one looks like.
        public var description: String {
            switch self {
            case .malformed:
                "the connection string is malformed: want postgresql://user@host:port/database?sslmode=… "
                    + "(percent-encoded) or host=… port=… dbname=… user=…, with keywords that libpq knows"
            case .invalidValue(let keyword, let expected): "connection string: \(keyword) takes \(expected)"
            }
        }
    }

    /// Reads a URI (`postgresql://user:password@host:port/database?keyword=value`) or libpq's `keyword=value` form, as in
    /// "Connection Strings" of the PostgreSQL manual, 34.1.1. What it does not say keeps its default.
    public init(url: String) throws(ConnectionStringError) {
        self.init()
        for (keyword, value) in try Self.parse(url) { try set(keyword, value) }
    }

    private static func parse(_ text: String) throws(ConnectionStringError) -> [(String, String)] {
        // libpq stops at a NUL and would connect with half of the string.
        guard !text.utf8.contains(0) else { throw .malformed }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &message) else {
            PQfreemem(message)
            throw .malformed
        }
        defer { PQconninfoFree(options) }
        var found: [(String, String)] = []
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { found.append((String(cString: keyword), String(cString: value))) }
            option += 1
        }
        return found
    }

    private mutating func set(_ keyword: String, _ value: String) throws(ConnectionStringError) {
        switch keyword {
        case "host": host = value
        case "port": port = try Self.number(keyword, value, 1...65535)
        case "dbname": database = value
        case "user": user = value
        case "password": password = value
        case "application_name": applicationName = value
        case "sslmode":
            guard let mode = SSLMode(rawValue: value) else {
                throw .invalidValue(keyword: keyword, expected: SSLMode.allCases.map(\.rawValue).joined(separator: ", "))
            }
            sslMode = mode
        case "sslrootcert": sslRootCertificate = value
        case "sslcert": sslCertificate = value
        case "sslkey": sslKey = value
        case "connect_timeout": connectTimeoutSeconds = try Self.number(keyword, value, 1...3600)
        case "keepalives_idle": keepAliveIdleSeconds = try Self.number(keyword, value, 0...86_400)
        case "keepalives_interval": keepAliveIntervalSeconds = try Self.number(keyword, value, 0...86_400)
        case "keepalives_count": keepAliveCount = try Self.number(keyword, value, 0...1000)
        case "tcp_user_timeout": tcpUserTimeoutMilliseconds = try Self.number(keyword, value, 0...3_600_000)
        default: parameters[keyword] = value
        }
    }

    private static func number(_ keyword: String, _ value: String, _ range: ClosedRange<Int>) throws(ConnectionStringError) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw .invalidValue(keyword: keyword, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// What libpq is given.
    var keywords: [String: String] {
        var all = parameters
        all["host"] = host
        all["port"] = String(port)
        all["dbname"] = database
        all["user"] = user
        all["password"] = password
        all["application_name"] = applicationName
        all["sslmode"] = sslMode.rawValue
        all["sslrootcert"] = sslRootCertificate
        all["sslcert"] = sslCertificate
        all["sslkey"] = sslKey
        all["client_encoding"] = "UTF8"
        // Kerberos encryption costs a round trip for every connection and nobody here uses it.
        all["gssencmode"] = all["gssencmode"] ?? "disable"
        all["connect_timeout"] = String(connectTimeoutSeconds)
        if keepAliveIdleSeconds > 0 { all["keepalives_idle"] = String(keepAliveIdleSeconds) }
        all["keepalives_interval"] = String(keepAliveIntervalSeconds)
        all["keepalives_count"] = String(keepAliveCount)
        all["tcp_user_timeout"] = String(tcpUserTimeoutMilliseconds)
        let settings = [
            ("statement_timeout", statementTimeoutMilliseconds), ("lock_timeout", lockTimeoutMilliseconds),
            ("idle_in_transaction_session_timeout", idleTransactionTimeoutMilliseconds),
        ]
        let options = settings.map { "-c \($0.0)=\(max(0, $0.1))" } + [parameters["options"]].compactMap { $0 }
        all["options"] = options.joined(separator: " ")
        return all
    }
}
