internal import CPostgres

extension RawConnection {
    /// Begins a COPY from us in binary and gives its number of columns.
    func startCopyIn(_ sql: String, _ statement: Statement) throws(PostgresError) -> Int {
        guard let result = PQexec(handle, sql) else { throw failure(statement.description) }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COPY_IN:
            guard PQbinaryTuples(result) == 1 else {
                abandonCopyIn("text format")
                throw PostgresError(.badCopyFileFormat, "copyIn needs COPY … FROM STDIN (FORMAT binary)", statement: statement.description)
            }
            return Int(PQnfields(result))
        case PGRES_FATAL_ERROR: throw error(in: result, statement)
        default:
            drain()
            throw PostgresError(.badCopyFileFormat, "copyIn needs COPY … FROM STDIN (FORMAT binary)", statement: statement.description)
        }
    }

    func putCopy(_ bytes: [UInt8], _ statement: Statement) throws(PostgresError) {
        let sent = bytes.withUnsafeBytes { all in
            // One call takes an Int32 of bytes.
            var offset = 0
            while offset < all.count {
                let count = min(1 << 20, all.count - offset)
                let start = all.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) }
                guard PQputCopyData(handle, start, Int32(count)) == 1 else { return false }
                offset += count
            }
            return true
        }
        guard sent else { throw failure(statement.description) }
    }

    func abandonCopyIn(_ reason: String) {
        PQputCopyEnd(handle, reason)
        drain()
    }

    /// Sends the end of a copy, so that the server has all of it; what it says to it is read by ``nextCopyIn(_:)`` or
    /// ``endCopyIn(_:)``.
    func sendCopyEnd(_ statement: Statement) throws(PostgresError) {
        guard PQputCopyEnd(handle, nil) == 1 else { throw failure(statement.description) }
    }

    /// After the end of a copy that another one of the same script follows: awaits that one's begin and gives its number of
    /// columns.
    func nextCopyIn(_ statement: Statement) throws(PostgresError) -> Int {
        do throws(PostgresError) { _ = try rows(PQgetResult(handle), statement) } catch {
            drain()
            throw error
        }
        guard let result = PQgetResult(handle) else { throw failure(statement.description) }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COPY_IN, PQbinaryTuples(result) == 1 else {
            let error = self.error(in: result, statement)
            drain()
            throw error
        }
        return Int(PQnfields(result))
    }

    /// After the end of the last copy: the number of rows the server took of it.
    func endCopyIn(_ statement: Statement) throws(PostgresError) -> Int {
        defer { drain() }
        return try rows(PQgetResult(handle), statement).affected
    }

    /// Runs a COPY to us in binary and gives the data in pieces of about `chunk` bytes.
    func copyOut(_ sql: String, _ statement: Statement, chunk: Int, _ body: ([UInt8]) throws -> Void) throws -> Int {
        guard let result = PQexec(handle, sql) else { throw failure(statement.description) }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COPY_OUT where PQbinaryTuples(result) == 1: break
        case PGRES_FATAL_ERROR: throw error(in: result, statement)
        default:
            drain()
            throw PostgresError(.badCopyFileFormat, "copyOut needs COPY … TO STDOUT (FORMAT binary)", statement: statement.description)
        }
        var buffer: [UInt8] = []
        var message: UnsafeMutablePointer<CChar>?
        while true {
            let length = PQgetCopyData(handle, &message, 0)
            guard length > 0, let piece = message else {
                if length == -2 { throw failure(statement.description) }
                break
            }
            buffer.append(contentsOf: UnsafeRawBufferPointer(start: piece, count: Int(length)))
            PQfreemem(piece)
            if buffer.count >= chunk {
                do { try body(buffer) } catch {
                    finishCopyOut()
                    throw error
                }
                buffer.removeAll(keepingCapacity: true)
            }
        }
        defer { drain() }
        let affected = try rows(PQgetResult(handle), statement).affected
        if !buffer.isEmpty { try body(buffer) }
        return affected
    }

    /// Stops a copy that nobody reads to its end: the server is asked to stop, what is still on the way is thrown away.
    private func finishCopyOut() {
        if let cancel = PQgetCancel(handle) {
            var message = [CChar](repeating: 0, count: 256)
            PQcancel(cancel, &message, Int32(message.count))
            PQfreeCancel(cancel)
        }
        drain()
    }
}
