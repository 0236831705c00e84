/// The parameters of one or more executions as libpq wants them: all values in one arena, so that none costs an allocation.
struct ParameterBuffer {
    private var arena: [UInt8] = []
    private var starts: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    /// Per execution, its first parameter.
    private var firsts: [Int] = []

    /// libpq's four arguments.
    struct Arguments {
        var count: Int32
        var values: UnsafePointer<UnsafePointer<CChar>?>?
        var lengths: UnsafePointer<Int32>?
        var formats: UnsafePointer<Int32>?
    }

    /// Forgets all executions and keeps the memory.
    mutating func reset() {
        // One huge value must not be paid for ever after.
        if arena.capacity > 8 << 20 { arena = [] } else { arena.removeAll(keepingCapacity: true) }
        starts.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        firsts.removeAll(keepingCapacity: true)
    }

    /// Adds an execution, its values encoded for the types the server inferred.
    /// - Throws: ``PostgresError`` that names the parameter, before anything is sent.
    mutating func append(_ values: [PostgresValue], types: [UInt32], statement: Statement) throws(PostgresError) {
        guard values.count == types.count else {
            throw PostgresError(
                .protocolViolation, "the statement takes \(types.count) parameters, \(values.count) were given",
                statement: statement.description)
        }
        firsts.append(starts.count)
        for index in values.indices {
            let start = arena.count
            var format = WireFormat.binary
            if case .null = values[index] {
                starts.append(-1)
            } else {
                do {
                    format = try ValueEncoder.append(values[index], as: types[index], to: &arena)
                } catch {
                    throw PostgresError(error.code, "parameter $\(index + 1): \(error.reason)", statement: statement.description)
                }
                starts.append(start)
            }
            let length = arena.count - start
            guard length < 1 << 30 else {
                throw PostgresError(
                    .numericValueOutOfRange, "parameter $\(index + 1): the server takes less than 1 GiB",
                    statement: statement.description)
            }
            lengths.append(Int32(length))
            formats.append(format.rawValue)
            // libpq reads a value in text form up to its NUL.
            arena.append(0)
        }
    }

    /// Lends the arguments of each execution, by its index.
    func withArguments<Result>(_ body: ((Int) -> Arguments) throws(PostgresError) -> Result) throws(PostgresError) -> Result {
        let outcome: Swift.Result<Result, PostgresError> = arena.withUnsafeBytes { bytes in
            let values = starts.map { start in
                start < 0 ? nil : bytes.baseAddress.map { UnsafePointer(($0 + start).assumingMemoryBound(to: CChar.self)) }
            }
            return values.withUnsafeBufferPointer { values in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        Swift.Result { () throws(PostgresError) -> Result in
                            try body { execution in
                                let first = firsts[execution]
                                let end = execution + 1 < firsts.count ? firsts[execution + 1] : values.count
                                return Arguments(
                                    count: Int32(end - first), values: values.baseAddress.map { $0 + first },
                                    lengths: lengths.baseAddress.map { $0 + first }, formats: formats.baseAddress.map { $0 + first })
                            }
                        }
                    }
                }
            }
        }
        return try outcome.get()
    }
}
