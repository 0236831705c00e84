internal import Crypto
public import Events
public import JSON

/// A job as OpenLineage tells runs (specification 2-0-2, https://openlineage.io): what went in, what came out, and when.
public enum OpenLineage {
    private static let schema = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"

    /// The events of a job's run so far: START when a runner began it, and COMPLETE, FAIL or ABORT at its end.
    /// - Parameters:
    ///   - base: what it started from.
    ///   - producer: an address that names who tells it.
    public static func events(of job: TrainingJob, base: BaseModelRegistered?, producer: String) -> [JSONValue] {
        var events: [JSONValue] = []
        if let started = job.started { events.append(event("START", started, job, base, producer)) }
        if let ended = job.ended {
            let type = job.status == .succeeded ? "COMPLETE" : job.status == .failed ? "FAIL" : "ABORT"
            events.append(event(type, ended, job, base, producer))
        }
        return events
    }

    private static func event(
        _ type: String, _ time: Timestamp, _ job: TrainingJob, _ base: BaseModelRegistered?, _ producer: String
    ) -> JSONValue {
        let request = job.request
        func facet(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
            var object: [(String, JSONValue)] = [("_producer", .string(producer)), ("_schemaURL", .string(schema))]
            for (name, value) in members { if let value { object.append((name, value)) } }
            return .object(JSONObject(object))
        }
        var inputs = request.snapshots.map { snapshot -> JSONValue in
            [
                "namespace": .string(producer), "name": .string("datanet/\(snapshot.datanet)/snapshot/\(snapshot.number)"),
                "facets": [
                    "version": facet(["datasetVersion": .string(snapshot.root.prefixed)]),
                    "openledger": facet(["snapshot": .string(snapshot.snapshot), "root": .digest(snapshot.root)]),
                ],
            ]
        }
        inputs.append([
            "namespace": .string(producer), "name": .string("base-model/\(request.base)"),
            "facets": ["openledger": facet(["artefact": base.map { .digest($0.artefact) }, "licence": base.map { .string($0.licence) }])],
        ])
        var outputs: [JSONValue] = []
        if type == "COMPLETE", let done = job.completed {
            outputs.append([
                "namespace": .string(producer), "name": .string("adapter/\(done.adapter.prefixed)"),
                "facets": [
                    "openledger": facet([
                        "adapter": .digest(done.adapter), "rows": done.rows.map { .digest($0) }, "record": .digest(done.record),
                    ])
                ],
            ])
        }
        var run: [(String, JSONValue)] = [
            (
                "openledger",
                facet([
                    "job": .string(request.job), "runner": job.runner.map { .string($0) }, "attempt": .count(job.attempt),
                    "settings": .digest(request.settings),
                ])
            )
        ]
        if type == "FAIL", let reason = job.reason {
            run.append(("errorMessage", facet(["message": .string(reason), "programmingLanguage": "none"])))
        }
        if let replaced = request.replaces {
            run.append(
                (
                    "parent",
                    facet([
                        "run": ["runId": .string(uuid(of: replaced))], "job": ["namespace": .string(producer), "name": .string(replaced)],
                    ])
                ))
        }
        return [
            "eventType": .string(type), "eventTime": .string(time.description), "producer": .string(producer),
            "schemaURL": .string(schema), "run": ["runId": .string(uuid(of: request.job)), "facets": .object(JSONObject(run))],
            "job": ["namespace": .string(producer), "name": .string(request.job), "facets": .object(JSONObject())],
            "inputs": .array(inputs), "outputs": .array(outputs),
        ]
    }

    /// A UUID (RFC 9562, version 8) made from a job's id, since ours are none.
    static func uuid(of job: String) -> String {
        var bytes = Array(SHA256.hash(utf8: "openlineage\n" + job).bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = Hex.encode(bytes)
        var text = ""
        for (index, character) in hex.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(character)
        }
        return text
    }
}
