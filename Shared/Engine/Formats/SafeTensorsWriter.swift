internal import JSON

/// Writes safetensors files. The same tensors and texts give the same bytes, whatever order they are handed over in.
public enum SafeTensorsWriter {
    /// The bytes of a file. Wider types come first and names in the order of their bytes, as in the reference implementation, so
    /// every number is aligned; the header is filled up with blanks to a multiple of eight.
    public static func bytes(_ tensors: [TensorContent], metadata: [String: String] = [:]) throws(FormatError) -> [UInt8] {
        let sorted = tensors.sorted {
            $0.type.size != $1.type.size ? $0.type.size > $1.type.size : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        var header = JSONObject()
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            header["__metadata__"] = .object(JSONObject(texts.map { ($0.key, .string($0.value)) }))
        }
        var members: [(String, JSONValue)] = []
        var names: Set<String> = ["__metadata__"]
        var end = 0
        for tensor in sorted {
            guard names.insert(tensor.name).inserted else { throw fault(tensor, "the name is taken") }
            let count = tensor.shape.reduce(1, *)
            guard tensor.shape.allSatisfy({ $0 >= 0 }), count * tensor.type.size == tensor.bytes.count else {
                throw fault(tensor, "a \(tensor.type.rawValue) of shape \(tensor.shape) cannot have \(tensor.bytes.count) bytes")
            }
            members.append(
                (
                    tensor.name,
                    [
                        "dtype": .string(tensor.type.rawValue), "shape": .array(tensor.shape.map { .int(Int64($0)) }),
                        "data_offsets": [.int(Int64(end)), .int(Int64(end + tensor.bytes.count))],
                    ]
                ))
            end += tensor.bytes.count
        }
        return assemble(header, members, sorted, dataBytes: end)
    }

    /// Writes a file, in place at once.
    public static func write(_ tensors: [TensorContent], metadata: [String: String] = [:], to path: String) throws(FormatError) {
        try WholeFile.replace(path, with: try bytes(tensors, metadata: metadata))
    }

    private static func assemble(
        _ head: JSONObject, _ members: [(String, JSONValue)], _ tensors: [TensorContent], dataBytes: Int
    ) -> [UInt8] {
        // Members are joined as text: an object of some thousand names searched for each would cost their square.
        var json: [UInt8] = Array("{".utf8)
        let all = head.members.map { ($0.key, $0.value) } + members
        for (index, member) in all.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            json += JSON.write(.string(member.0))
            json.append(UInt8(ascii: ":"))
            json += JSON.write(member.1)
        }
        json.append(UInt8(ascii: "}"))
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        var file: [UInt8] = []
        file.reserveCapacity(8 + json.count + dataBytes)
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { file.append(contentsOf: $0) }
        file += json
        for tensor in tensors { file += tensor.bytes }
        return file
    }

    private static func fault(_ tensor: TensorContent, _ reason: String) -> FormatError {
        FormatError(.malformed, file: "safetensors to be written", place: tensor.name, reason)
    }
}
