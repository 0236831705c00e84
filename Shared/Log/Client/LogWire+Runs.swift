internal import Events
internal import JSON

/// A run of appends in one request: each stands for itself, in the order of the list.
extension LogWire {
    /// At most this many appends in one run.
    public static let maximumRun = 1_024

    /// `{"appends":[…]}`, each as the body of an append.
    public static func encode(run requests: some Sequence<AppendRequest>) -> [UInt8] {
        var writer = JSONWriter(capacity: 64 << 10)
        writer.beginObject()
        writer.key("appends")
        writer.beginArray()
        for request in requests { writer.raw(encode(request)) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// Reads a run.
    public static func decodeRun(_ body: [UInt8]) throws(LogError) -> [AppendRequest] {
        do {
            var reader = try JSONReader(body, limits: limits)
            var requests: [AppendRequest] = []
            var isSeen = false
            try reader.beginObject()
            while try reader.nextKey() {
                guard reader.keyIs("appends"), !isSeen else {
                    throw LogError.malformed(field: "/" + reader.keyText.prefix(64), reason: "the body has one field, appends, once")
                }
                isSeen = true
                try reader.beginArray()
                while try reader.nextElement() {
                    guard requests.count < maximumRun else {
                        throw LogError.malformed(field: "/appends", reason: "more than \(maximumRun) appends")
                    }
                    requests.append(try request(&reader))
                }
            }
            try reader.finish()
            guard !requests.isEmpty else { throw LogError.malformed(field: "/appends", reason: "no append") }
            return requests
        } catch let error as LogError {
            throw error
        } catch {
            throw .malformed(field: "body", reason: "\(error)")
        }
    }

    /// `{"answers":[{"appended":{…}, "repeat":true} | {"error":{"code":…, …}}]}`, in the order of the appends.
    public static func encode(answers: [Result<Appended, LogError>]) -> [UInt8] {
        var writer = JSONWriter(capacity: 64 + answers.count * 240)
        writer.beginObject()
        writer.key("answers")
        writer.beginArray()
        for answer in answers {
            writer.beginObject()
            switch answer {
            case .success(let appended):
                writer.key("appended")
                writer.raw(encode(appended))
                if appended.isRepeat {
                    writer.key("repeat")
                    writer.raw(Array("true".utf8))
                }
            case .failure(let error):
                let form = error.wireForm
                var object = JSONObject()
                for (name, value) in form.members { object[name] = value }
                object["code"] = .string(form.code)
                object["detail"] = .string(error.description)
                writer.key("error")
                writer.raw(JSON.write(.object(object)))
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// Reads the answers to so many appends.
    static func decodeAnswers(_ body: [UInt8], count: Int) throws -> [Result<Appended, any Error>] {
        let answers = try JSON.parse(body, limits: answerLimits).object().array("answers")
        guard answers.count == count else {
            throw LogError.unavailable("the ledger answered \(answers.count) of \(count) appends")
        }
        return try answers.map { answer in
            let fields = try answer.object()
            if let error = try fields.optionalObject("error") {
                let code = try error.string("code")
                return .failure(LogError(code: code, members: error.object) ?? LogError.unavailable("the ledger answered \(code)"))
            }
            var given = try appended(try fields.object("appended"))
            given.isRepeat = fields.optionalField("repeat") != nil
            return .success(given)
        }
    }
}
