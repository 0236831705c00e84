/// The whole state of a run after a step, to go on from: parameters, optimiser, what was measured. A file in the safetensors
/// format; the same state gives the same bytes.
public struct TrainingCheckpoint: Sendable, Equatable {
    /// Optimiser steps done.
    public let step: Int
    /// Tokens read.
    public let tokens: Int
    /// What identifies the run: settings, data, base and kernel level. A resumed run must have the same.
    public let identity: String
    let lastLoss: Float
    let parameters: [Float]
    let firstMoments: [Float]
    let secondMoments: [Float]
    /// The parameters with the lowest hold-out loss, when the run keeps them.
    let best: [Float]?
    let bestStep: Int
    /// The parameters at half way, once there and when the run keeps them.
    let half: [Float]?
    let evaluations: [TrainingEvent.EvaluationMetrics]
    /// Evaluations since the last improvement.
    let stale: Int

    /// Writes the file in place at once.
    public func write(to path: String) throws {
        try WholeFile.replace(path, with: try bytes())
    }

    /// The file's bytes.
    public func bytes() throws -> [UInt8] {
        var tensors = [
            TensorContent(name: "parameters", shape: [parameters.count], float32: parameters),
            TensorContent(name: "first_moments", shape: [firstMoments.count], float32: firstMoments),
            TensorContent(name: "second_moments", shape: [secondMoments.count], float32: secondMoments),
        ]
        if let best { tensors.append(TensorContent(name: "best", shape: [best.count], float32: best)) }
        if let half { tensors.append(TensorContent(name: "half", shape: [half.count], float32: half)) }
        var measured: [Float] = []
        for look in evaluations { measured += [Float(look.step), look.loss, look.tokenAccuracy, look.isBest ? 1 : 0] }
        if !measured.isEmpty { tensors.append(TensorContent(name: "evaluations", shape: [evaluations.count, 4], float32: measured)) }
        return try SafeTensorsWriter.bytes(
            tensors,
            metadata: [
                "kind": "openledger.training-checkpoint.v1", "step": String(step), "tokens": String(tokens), "identity": identity,
                "last_loss_bits": String(lastLoss.bitPattern), "best_step": String(bestStep), "stale": String(stale),
            ])
    }

    /// Reads a file that ``write(to:)`` made.
    public init(path: String) throws {
        let file = try SafeTensors(path: path)
        func number(_ name: String) throws -> Int {
            guard let text = file.metadata[name], let value = Int(text), value >= 0 else {
                throw EngineError.badCheckpoint("\(path): \(name) is missing or no number")
            }
            return value
        }
        func floats(_ name: String) throws -> [Float] {
            guard let tensor = file.tensor(name) else { throw EngineError.badCheckpoint("\(path): \(name) is missing") }
            return try tensor.floats()
        }
        guard file.metadata["kind"] == "openledger.training-checkpoint.v1", let identity = file.metadata["identity"] else {
            throw EngineError.badCheckpoint("\(path) is not a training checkpoint of this engine")
        }
        self.identity = identity
        step = try number("step")
        tokens = try number("tokens")
        guard let bits = UInt32(exactly: try number("last_loss_bits")) else {
            throw EngineError.badCheckpoint("\(path): last_loss_bits is out of range")
        }
        lastLoss = Float(bitPattern: bits)
        bestStep = try number("best_step")
        stale = try number("stale")
        parameters = try floats("parameters")
        firstMoments = try floats("first_moments")
        secondMoments = try floats("second_moments")
        best = file.tensor("best") == nil ? nil : try floats("best")
        half = file.tensor("half") == nil ? nil : try floats("half")
        let measured = file.tensor("evaluations") == nil ? [] : try floats("evaluations")
        evaluations = try stride(from: 0, to: measured.count - measured.count % 4, by: 4).map { at in
            guard let step = Int(exactly: measured[at]) else { throw EngineError.badCheckpoint("\(path): evaluations are damaged") }
            return TrainingEvent.EvaluationMetrics(
                step: step, loss: measured[at + 1], tokenAccuracy: measured[at + 2], isBest: measured[at + 3] == 1)
        }
        let count = parameters.count
        guard firstMoments.count == count, secondMoments.count == count, [best, half].allSatisfy({ $0.map { $0.count == count } ?? true })
        else {
            throw EngineError.badCheckpoint("\(path): its tensors have different sizes")
        }
        let all = [parameters, firstMoments, secondMoments] + [best, half].compactMap { $0 }
        guard all.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw EngineError.badCheckpoint("\(path) holds a number that is not finite")
        }
    }

    init(
        step: Int, tokens: Int, identity: String, lastLoss: Float, parameters: [Float], firstMoments: [Float], secondMoments: [Float],
        best: [Float]?, bestStep: Int, half: [Float]?, evaluations: [TrainingEvent.EvaluationMetrics], stale: Int
    ) {
        self.step = step
        self.tokens = tokens
        self.identity = identity
        self.lastLoss = lastLoss
        self.parameters = parameters
        self.firstMoments = firstMoments
        self.secondMoments = secondMoments
        self.best = best
        self.bestStep = bestStep
        self.half = half
        self.evaluations = evaluations
        self.stale = stale
    }
}
