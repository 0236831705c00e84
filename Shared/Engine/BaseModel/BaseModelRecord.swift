public import Crypto
internal import JSON

/// What came of a recipe: kept beside the weights as `recipe.json`, so that anyone can repeat it and compare.
public struct BaseModelRecord: Sendable, Hashable {
    /// The record's name in the model's folder.
    public static let file = "recipe.json"
    static let recorded = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]

    /// The corpus' digest.
    public let corpus: Digest
    /// Optimiser steps.
    public let steps: Int
    /// Tokens read.
    public let tokens: Int
    /// The instructions used.
    public let kernelLevel: KernelLevel
    /// Mean loss over the rows kept for measuring, nats a token, before rounding to bfloat16.
    public let holdOutLoss: Double
    /// SHA-256 of every other file of the folder.
    public let files: [String: Digest]

    init(corpus: Digest, steps: Int, tokens: Int, kernelLevel: KernelLevel, holdOutLoss: Double, files: [String: Digest]) {
        self.corpus = corpus
        self.steps = steps
        self.tokens = tokens
        self.kernelLevel = kernelLevel
        self.holdOutLoss = holdOutLoss
        self.files = files
    }

    /// Reads the record of a model's folder.
    public init(folder: String) throws(FormatError) {
        let path = folder + "/" + Self.file
        do {
            let fields = try JSON.parse(try WholeFile.read(path, limit: 1 << 20)).object()
            func digest(_ text: String, _ place: String) throws -> Digest {
                guard let digest = Digest(prefixed: text) else { throw FormatError(.malformed, file: path, place: place, "is no digest") }
                return digest
            }
            corpus = try digest(try fields.string("corpus"), "/corpus")
            steps = try fields.int("steps")
            tokens = try fields.int("tokens")
            let level = try fields.string("kernel_level")
            guard let known = KernelLevel(rawValue: level) else {
                throw FormatError(.unsupported, file: path, place: "/kernel_level", "\(clipped(level)) is not known")
            }
            kernelLevel = known
            holdOutLoss = try fields.field("holdout_loss").double()
            var files: [String: Digest] = [:]
            for member in try fields.object("files").object.members {
                files[member.key] = try digest(member.value.stringValue ?? "", "/files/" + member.key)
            }
            self.files = files
        } catch let error as FormatError {
            throw error
        } catch {
            throw FormatError(.malformed, file: path, "\(error)")
        }
    }

    /// Throws unless every file of the folder has the hash that the record names.
    public func verify(folder: String) throws(FormatError) {
        let found = try Self.hashes(folder)
        for name in Self.recorded where found[name] != files[name] {
            throw FormatError(
                .mismatch, file: folder + "/" + name,
                "has \(found[name]?.prefixed ?? "no hash"), the record says \(files[name]?.prefixed ?? "nothing")")
        }
    }

    /// The file's bytes.
    public var json: [UInt8] {
        let object: JSONObject = [
            "corpus": .string(corpus.prefixed), "steps": .int(Int64(steps)), "tokens": .int(Int64(tokens)),
            "kernel_level": .string(kernelLevel.rawValue), "holdout_loss": .double(holdOutLoss),
            "files": .object(JSONObject(files.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value.prefixed)) })),
        ]
        return JSON.pretty(.object(object)) + [UInt8(ascii: "\n")]
    }

    static func hashes(_ folder: String) throws(FormatError) -> [String: Digest] {
        var files: [String: Digest] = [:]
        for name in recorded { files[name] = SHA256.hash(try WholeFile.read(folder + "/" + name, limit: 64 << 20)) }
        return files
    }
}
