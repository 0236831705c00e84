internal import CPostgres

// PGresult into values of ours. libpq gives null for a result only when memory or the connection is gone.
extension RawConnection {
    /// Copies a result and clears it, or throws the error in it.
    func rows(_ result: OpaquePointer?, _ statement: Statement?) throws(PostgresError) -> Rows {
        guard let result else { throw failure(statement?.description) }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            return Rows(storage: .empty, affected: Self.affected(result))
        case PGRES_TUPLES_OK: return Self.copy(result)
        case PGRES_PIPELINE_ABORTED:
            throw PostgresError(.transactionAborted, "an earlier item of the pipeline failed", statement: statement?.description)
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            drain()
            throw PostgresError(.protocolViolation, "COPY needs copyIn or copyOut", statement: statement?.description)
        default: throw error(in: result, statement)
        }
    }

    static func affected(_ result: OpaquePointer) -> Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    private static func copy(_ result: OpaquePointer) -> Rows {
        let count = PQntuples(result)
        let fields = PQnfields(result)
        let columns = (0..<fields).map { field in
            Rows.Column(name: String(cString: PQfname(result, field)), type: PQftype(result, field))
        }
        var cells: [(offset: Int, length: Int32)] = []
        cells.reserveCapacity(Int(count) * Int(fields))
        var total = 0
        for row in 0..<count {
            for field in 0..<fields {
                if PQgetisnull(result, row, field) == 1 {
                    cells.append((total, -1))
                } else {
                    let length = PQgetlength(result, row, field)
                    cells.append((total, length))
                    total += Int(length)
                }
            }
        }
        // All empty arrays share one storage, which the initialiser would write to from every connection's thread.
        let bytes: [UInt8] =
            total == 0
            ? []
            : [UInt8](unsafeUninitializedCapacity: total) { buffer, initialized in
                var cell = 0
                for row in 0..<count {
                    for field in 0..<fields {
                        let (offset, length) = cells[cell]
                        cell += 1
                        guard length > 0, let value = PQgetvalue(result, row, field) else { continue }
                        UnsafeMutableRawBufferPointer(buffer).baseAddress.map {
                            ($0 + offset).copyMemory(from: value, byteCount: Int(length))
                        }
                    }
                }
                initialized = total
            }
        return Rows(
            storage: RowStorage(columns: columns, count: Int(count), bytes: bytes, cells: cells), affected: affected(result))
    }

    /// The error that a result carries.
    func error(in result: OpaquePointer, _ statement: Statement?) -> PostgresError {
        guard let state = Self.field("C", of: result) else {
            // libpq's own: mostly the connection broke while it waited.
            let message = String(cString: PQresultErrorMessage(result)).split(separator: "\n").joined(separator: " ")
            return PostgresError(isUsable ? .protocolViolation : .connectionLost, message, statement: statement?.description)
        }
        var error = PostgresError(
            SQLState(rawValue: state), Self.field("M", of: result) ?? "no message", statement: statement?.description)
        error.detail = Self.field("D", of: result)
        error.hint = Self.field("H", of: result)
        error.schema = Self.field("s", of: result)
        error.table = Self.field("t", of: result)
        error.column = Self.field("c", of: result)
        error.position = Self.field("P", of: result).flatMap { Int($0) }
        error.constraint = Self.field("n", of: result)
        return error
    }

    /// A field of an error or notice by its letter (PostgreSQL manual, 55.8).
    static func field(_ code: Character, of result: OpaquePointer) -> String? {
        guard let letter = code.asciiValue else { return nil }
        return PQresultErrorField(result, Int32(letter)).map { String(cString: $0) }
    }
}

extension RowStorage {
    /// No columns, no rows: what a command without a result gives.
    static let empty = RowStorage(columns: [], count: 0, bytes: [], cells: [])
}
