internal import JSON

/// The JSON of a safetensors header.
struct SafeTensorsHeaderParser {
    let file: String
    let limits: SafeTensorsLimits

    /// The tensors in the order of their places, and the metadata.
    func parse(_ json: [UInt8]) throws(FormatError) -> ([TensorInfo], [String: String]) {
        var tensors: [TensorInfo] = []
        var names: Set<String> = []
        var metadata: [String: String]?
        do {
            var reader = try JSONReader(json, limits: JSONLimits(depth: 4, bytes: limits.headerBytes, items: Int.max))
            try reader.beginObject()
            while try reader.nextKey() {
                let name = reader.keyText
                if name == "__metadata__" {
                    guard metadata == nil else { throw malformed(name, "is given twice") }
                    metadata = try texts(&reader)
                    continue
                }
                guard names.insert(name).inserted else { throw malformed(name, "a tensor of this name is already there") }
                guard names.count <= limits.tensors else {
                    throw FormatError(.tooLarge, file: file, "has more than \(limits.tensors) tensors")
                }
                tensors.append(try tensor(name, &reader))
            }
            try reader.finish()
        } catch let error as FormatError {
            throw error
        } catch {
            throw FormatError(.malformed, file: file, place: "header", "\(error)")
        }
        // Empty tensors may share a place with the one that follows: by end second, so that they come before it.
        tensors.sort {
            ($0.range.lowerBound, $0.range.upperBound, $0.name) < ($1.range.lowerBound, $1.range.upperBound, $1.name)
        }
        return (tensors, metadata ?? [:])
    }

    private func texts(_ reader: inout JSONReader) throws -> [String: String] {
        var texts: [String: String] = [:]
        try reader.beginObject()
        while try reader.nextKey() {
            let key = reader.keyText
            guard texts[key] == nil else { throw malformed("__metadata__", "\(clipped(key)) is given twice") }
            texts[key] = try reader.string()
            guard texts.count <= limits.tensors else {
                throw FormatError(.tooLarge, file: file, place: "__metadata__", "has too many members")
            }
        }
        return texts
    }

    private func tensor(_ name: String, _ reader: inout JSONReader) throws -> TensorInfo {
        var type: TensorType?, shape: [Int]?, offsets: [Int]?
        try reader.beginObject()
        while try reader.nextKey() {
            switch reader.keyText {
            case "dtype" where type == nil:
                let text = try reader.string()
                guard let known = TensorType(rawValue: text) else {
                    throw FormatError(
                        .unsupported, file: file, place: name,
                        "its dtype \(clipped(text)) is not known; read are F32, F16, BF16 and I8")
                }
                type = known
            case "shape" where shape == nil: shape = try sizes(name, &reader, atMost: limits.dimensions)
            case "data_offsets" where offsets == nil: offsets = try sizes(name, &reader, atMost: 2)
            case let key: throw malformed(name, "has a member \(clipped(key)) that is unknown or given twice")
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2 else {
            throw malformed(name, "needs dtype, shape and two data_offsets")
        }
        guard offsets[0] <= offsets[1] else { throw malformed(name, "its bytes end at \(offsets[1]), before they begin at \(offsets[0])") }
        var bytes = type.size
        for size in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
            guard !overflow else { throw malformed(name, "its shape \(shape) is too large for any memory") }
            bytes = product
        }
        guard bytes == offsets[1] - offsets[0] else {
            throw malformed(
                name, "a \(type.rawValue) of shape \(shape) has \(bytes) bytes, and data_offsets leave \(offsets[1] - offsets[0])")
        }
        return TensorInfo(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
    }

    private func sizes(_ name: String, _ reader: inout JSONReader, atMost limit: Int) throws -> [Int] {
        var sizes: [Int] = []
        try reader.beginArray()
        while try reader.nextElement() {
            guard let size = Int(exactly: try reader.int()), size >= 0 else { throw malformed(name, "has a negative size or offset") }
            guard sizes.count < limit else { throw malformed(name, "has more than \(limit) dimensions or offsets") }
            sizes.append(size)
        }
        return sizes
    }

    private func malformed(_ place: String, _ reason: String) -> FormatError {
        FormatError(.malformed, file: file, place: place, reason)
    }
}
