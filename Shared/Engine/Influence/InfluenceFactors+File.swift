internal import Crypto

extension InfluenceFactors {
    /// Writes ``file()``.
    public func write(to path: String) throws { try WholeFile.replace(path, with: try file()) }

    /// The factors with their checkpoints, in the safetensors format: what is needed to give later answers their rows. The same factors give
    /// the same bytes.
    public func file() throws -> [UInt8] {
        var tensors: [TensorContent] = []
        var names: [ObjectIdentifier: Int] = [:]
        var places: [String] = []
        func put(_ buffer: FloatBuffer) -> Int {
            // A basis that several modules share is stored once.
            if let known = names[ObjectIdentifier(buffer)] { return known }
            let name = names.count
            names[ObjectIdentifier(buffer)] = name
            tensors.append(TensorContent(name: "basis.\(name)", shape: [buffer.count], float32: buffer.values))
            return name
        }
        for (index, checkpoint) in checkpoints.enumerated() {
            let parameters = checkpoint.adapter.parameters
            tensors.append(TensorContent(name: "checkpoint.\(index)", shape: [parameters.count], float32: parameters.values))
            for tensor in checkpoint.tensors {
                places.append("\(put(tensor.left)) \(put(tensor.right)) \(put(tensor.eigenvalues))")
            }
        }
        guard let adapter = checkpoints.first?.adapter else { throw EngineError.noData("the factors have no checkpoint") }
        let modules = adapter.layout.parts.map { "\($0.layer):\($0.module.name)" }.joined(separator: " ")
        return try SafeTensorsWriter.bytes(
            tensors,
            metadata: [
                "kind": "openledger.influence-factors.v1", "checkpoints": String(checkpoints.count), "rank": String(adapter.rank),
                "scale_bits": String(adapter.scale.bitPattern), "modules": modules, "places": places.joined(separator: ","),
                "damping_bits": String(options.damping.bitPattern), "digest": digest.hex,
            ])
    }

    /// Reads factors for the model that they were measured on. Throws when the file is damaged or the model has another shape.
    public convenience init(path: String, model: LanguageModel) throws {
        let file = try SafeTensors(path: path)
        func fail(_ what: String) -> EngineError { .badWeights("\(path): \(what)") }
        guard file.metadata["kind"] == "openledger.influence-factors.v1" else { throw fail("no influence factors of this engine") }
        func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int {
            guard let value = file.metadata[name].flatMap({ Int($0) }), range.contains(value) else { throw fail("\(name) is out of range") }
            return value
        }
        func buffer(_ name: String, _ count: Int) throws -> FloatBuffer {
            guard let tensor = file.tensor(name) else { throw fail("\(name) is missing") }
            let values = try tensor.floats(shape: [count])
            guard values.allSatisfy(\.isFinite) else { throw fail("\(name) holds a number that is not finite") }
            return FloatBuffer(values)
        }
        let count = try number("checkpoints", 1...1000), rank = try number("rank", 1...512)
        let scale = Float(bitPattern: UInt32(try number("scale_bits", 0...Int(UInt32.max))))
        var options = InfluenceOptions()
        options.damping = Float(bitPattern: UInt32(try number("damping_bits", 0...Int(UInt32.max))))
        try options.check()
        guard scale.isFinite, let text = file.metadata["modules"] else { throw fail("the adapter's form is missing") }
        let modules = Set(text.split(separator: " ").map(String.init))
        let layout = AdapterLayout(model.configuration, rank: rank) { modules.contains("\($0):\($1.name)") }
        guard layout.parts.count == modules.count else { throw fail("it was measured on a model of another shape") }
        let places = (file.metadata["places"] ?? "").split(separator: ",").map { $0.split(separator: " ").compactMap { Int($0) } }
        guard places.count == count * layout.parts.count * 2, places.allSatisfy({ $0.count == 3 }) else { throw fail("places are damaged") }
        var known: [Int: FloatBuffer] = [:]
        func basis(_ place: Int, _ size: Int) throws -> FloatBuffer {
            if let found = known[place], found.count == size { return found }
            let made = try buffer("basis.\(place)", size)
            known[place] = made
            return made
        }
        var next = 0
        let checkpoints = try (0..<count).map { index in
            let adapter = Adapter(layout: layout, scale: scale, parameters: try buffer("checkpoint.\(index)", layout.count))
            var tensors: [TensorCurvature] = []
            for part in layout.parts {
                for columns in [part.inputs, part.outputs] {
                    let place = places[next]
                    next += 1
                    tensors.append(
                        TensorCurvature(
                            rows: rank, columns: columns, left: try basis(place[0], rank * rank),
                            right: try basis(place[1], columns * columns), eigenvalues: try basis(place[2], rank * columns)))
                }
            }
            return Checkpoint(adapter: adapter, tensors: tensors)
        }
        self.init(model: model, checkpoints: checkpoints, options: options)
        guard digest.hex == file.metadata["digest"] else { throw fail("its numbers are not those that were written") }
    }
}
