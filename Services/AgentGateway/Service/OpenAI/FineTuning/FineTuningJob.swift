internal import Events
internal import Foundation
internal import JSON

/// A fine-tuning as OpenAI's API has it, and how far it is on its way through Datanet, contribution, snapshot and training.
struct FineTuningJob: Sendable {
    /// What comes next.
    enum Stage: String, Sendable {
        case datanet, contribution, upload, screening, admission, snapshot, request, training, publishing, succeeded, failed, cancelled

        var isOver: Bool { self == .succeeded || self == .failed || self == .cancelled }
    }

    /// What a runner does about it at the moment.
    enum Activity: Sendable {
        case waiting, running, paused

        /// From the status of a training job.
        init(status: String?) {
            switch status {
            case "running": self = .running
            case "paused": self = .paused
            default: self = .waiting
            }
        }
    }

    struct Note: Sendable {
        let number: Int
        let time: Int64
        let level: String
        let message: String
        /// Figures of a step, by OpenAI's names; nil for what is only said.
        var figures: JSONValue?
    }

    let id: String
    let owner: String
    let kind: String
    /// What the caller was allowed when asking, as far as it is needed.
    let scopes: [String]
    let created: Int64
    let base: String
    /// What it learns from, as the caller named it.
    let trainingFile: String
    let suffix: String?
    let settings: JSONValue
    let metadata: JSONValue
    var stage: Stage
    var datanet: String?
    var snapshot: Int?
    var contribution: String?
    var accepted: Int?
    var job: String?
    var model: String?
    var tokens: Int?
    var error: String?
    var finished: Int64?
    var notes: [Note] = []

    /// Most notes that are kept.
    private static let mostNotes = 200

    mutating func note(_ message: String, level: String = "info", figures: JSONValue? = nil, at time: Int64) {
        notes.append(Note(number: (notes.last?.number ?? 0) + 1, time: time, level: level, message: message, figures: figures))
        guard notes.count > Self.mostNotes else { return }
        // Of figures there are more to come; what was said is said once.
        notes.remove(at: notes.firstIndex { $0.figures != nil } ?? 0)
    }

    /// Notes how far a training is, at most so often that a whole training leaves some dozens of notes.
    mutating func note(progress: JSONValue?, at time: Int64) {
        guard let step = progress?["step"]?.intValue, let steps = progress?["steps"]?.intValue, steps > 0,
            let loss = progress?["loss_micros"]?.intValue
        else { return }
        let last = notes.last { $0.figures != nil }?.figures?["step"]?.intValue
        // A runner that goes on from a checkpoint is behind what another one told.
        if let last, step >= last, step - last < max(1, steps / 50), step < steps || last == step { return }
        let told = Double(loss) / 1_000_000
        let text = String(format: "%.4f", told)
        note(
            "Step \(step)/\(steps): training loss=\(text)",
            figures: ["step": .int(step), "total_steps": .int(steps), "train_loss": .double(told)], at: time)
    }

    mutating func end(_ stage: Stage, error: String? = nil, at time: Int64) {
        self.stage = stage
        self.error = error
        finished = time
    }
}

extension FineTuningJob {
    /// As it is kept.
    var record: JSONValue {
        .members([
            "id": .string(id), "owner": .string(owner), "kind": .string(kind), "scopes": .texts(scopes), "created": .int(created),
            "base": .string(base), "training_file": .string(trainingFile), "suffix": suffix.map { .string($0) }, "settings": settings,
            "metadata": metadata, "stage": .string(stage.rawValue), "datanet": datanet.map { .string($0) },
            "snapshot": snapshot.map { .count($0) }, "contribution": contribution.map { .string($0) },
            "accepted": accepted.map { .count($0) }, "job": job.map { .string($0) }, "model": model.map { .string($0) },
            "tokens": tokens.map { .count($0) }, "error": error.map { .string($0) }, "finished": finished.map { .int($0) },
            "notes": .array(
                notes.map {
                    .members([
                        "number": .count($0.number), "time": .int($0.time), "level": .string($0.level), "message": .string($0.message),
                        "figures": $0.figures,
                    ])
                }),
        ])
    }

    /// As it was kept.
    init(record: JSONValue) throws {
        let fields = try record.object()
        id = try fields.string("id")
        owner = try fields.string("owner")
        kind = try fields.string("kind")
        scopes = try fields.ids("scopes")
        created = Int64(try fields.int("created"))
        base = try fields.string("base")
        trainingFile = try fields.string("training_file")
        suffix = try fields.optionalString("suffix")
        settings = try fields.field("settings").value
        metadata = try fields.field("metadata").value
        guard let stage = Stage(rawValue: try fields.string("stage")) else { throw try fields.field("stage").error("is no stage") }
        self.stage = stage
        datanet = try fields.optionalString("datanet")
        snapshot = try fields.optionalInt("snapshot")
        contribution = try fields.optionalString("contribution")
        accepted = try fields.optionalInt("accepted")
        job = try fields.optionalString("job")
        model = try fields.optionalString("model")
        tokens = try fields.optionalInt("tokens")
        error = try fields.optionalString("error")
        finished = try fields.optionalInt("finished").map { Int64($0) }
        notes = try fields.array("notes").map { entry in
            let note = try entry.object()
            return Note(
                number: try note.int("number"), time: Int64(try note.int("time")), level: try note.string("level"),
                message: try note.string("message"), figures: note.optionalField("figures")?.value)
        }
    }

    /// As OpenAI's clients read it.
    func view(_ activity: Activity) -> JSONValue {
        let status =
            switch stage {
            case .datanet, .contribution, .upload, .screening, .admission, .snapshot, .request: "validating_files"
            case .training:
                switch activity {
                case .waiting: "queued"
                case .running: "running"
                case .paused: "paused"
                }
            case .publishing: "running"
            case .succeeded: "succeeded"
            case .failed: "failed"
            case .cancelled: "cancelled"
            }
        let hyperparameters: JSONValue = [
            "n_epochs": settings["epochs"] ?? 3, "batch_size": settings["batch"] ?? 8,
            "learning_rate_multiplier": .double(Double(settings["learning_rate"]?.intValue ?? 2_000) / 2_000),
        ]
        let failure: JSONValue =
            error.map { ["code": "failed", "message": .string($0), "param": .null] } ?? (stage == .failed ? .object(JSONObject()) : .null)
        return .members([
            "id": .string(id), "object": "fine_tuning.job", "created_at": .int(created), "model": .string(base),
            "fine_tuned_model": stage == .succeeded ? model.map { .string($0) } ?? .null : .null,
            "finished_at": finished.map { .int($0) } ?? .null, "organization_id": .string(owner), "status": .string(status),
            "training_file": .string(trainingFile), "validation_file": .null, "result_files": [], "seed": settings["seed"] ?? 1,
            "trained_tokens": tokens.map { .count($0) } ?? .null, "hyperparameters": hyperparameters, "error": failure,
            "user_provided_suffix": suffix.map { .string($0) } ?? .null, "metadata": metadata, "estimated_finish": .null,
            "integrations": [], "method": ["type": "supervised", "supervised": ["hyperparameters": hyperparameters]],
            "openledger": .members([
                "datanet": datanet.map { .string($0) }, "snapshot": snapshot.map { .count($0) },
                "contribution": contribution.map { .string($0) }, "job": job.map { .string($0) },
            ]),
        ])
    }
}
