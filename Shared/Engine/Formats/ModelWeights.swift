internal import JSON

/// The weights of a model's folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
public final class ModelWeights: Sendable {
    /// How many shards a model may have.
    public static let greatestShardCount = 1024

    /// The folder.
    public let folder: String
    /// The open files in the order of their names.
    public let files: [SafeTensors]
    private let places: [String: Int]

    /// Opens all files of a folder; reads headers only.
    public init(folder: String, limits: SafeTensorsLimits = .standard) throws(FormatError) {
        self.folder = folder
        let single = folder + "/model.safetensors", index = folder + "/model.safetensors.index.json"
        if WholeFile.exists(index) {
            let map = try Self.weightMap(index)
            let names = Set(map.values).sorted()
            guard names.count <= Self.greatestShardCount else {
                throw FormatError(.tooLarge, file: index, "names \(names.count) files; at most \(Self.greatestShardCount) are opened")
            }
            var files: [SafeTensors] = [], places: [String: Int] = [:]
            for name in names {
                try files.append(SafeTensors(path: folder + "/" + name, limits: limits))
            }
            for (tensor, name) in map {
                guard let place = names.firstIndex(of: name), files[place].tensor(tensor) != nil else {
                    throw FormatError(.mismatch, file: index, place: tensor, "is said to be in \(clipped(name)) and is not")
                }
                places[tensor] = place
            }
            for file in files {
                if let stray = file.tensors.first(where: { map[$0.name] == nil }) {
                    throw FormatError(.mismatch, file: file.path, place: stray.name, "is not in the index")
                }
                if let double = file.tensors.first(where: { places[$0.name].map { files[$0].path } != file.path }) {
                    throw FormatError(.mismatch, file: file.path, place: double.name, "stands in two files")
                }
            }
            self.files = files
            self.places = places
        } else {
            guard WholeFile.exists(single) else {
                throw FormatError(
                    .missing, file: folder,
                    "holds neither model.safetensors nor model.safetensors.index.json; other formats (.bin, .gguf) are not read")
            }
            let file = try SafeTensors(path: single, limits: limits)
            files = [file]
            places = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, 0) })
        }
    }

    /// The tensor of that name, if there is one.
    public func tensor(_ name: String) -> StoredTensor? { places[name].flatMap { files[$0].tensor(name) } }

    /// The tensor of that name and shape.
    public func tensor(_ name: String, shape: [Int]) throws(FormatError) -> StoredTensor {
        guard let tensor = tensor(name) else {
            throw FormatError(.missing, file: folder, place: name, "the model needs this tensor, and no file has it")
        }
        try tensor.requireShape(shape)
        return tensor
    }

    /// Throws unless every tensor of the configuration is there in its shape. A tied output projection may be there all the same.
    public func requireFit(_ configuration: ModelConfiguration) throws(FormatError) {
        for wanted in configuration.tensorShapes { _ = try tensor(wanted.name, shape: wanted.shape) }
    }

    private static func weightMap(_ path: String) throws(FormatError) -> [String: String] {
        let bytes = try WholeFile.read(path, limit: 16 << 20)
        var map: [String: String] = [:]
        do {
            let limits = JSONLimits(depth: 8, bytes: 16 << 20, items: 500_000)
            var reader = try JSONReader(bytes, limits: limits)
            try reader.beginObject()
            while try reader.nextKey() {
                guard reader.keyIs("weight_map") else {
                    try reader.skip()
                    continue
                }
                guard map.isEmpty else { throw FormatError(.malformed, file: path, place: "/weight_map", "is given twice") }
                try reader.beginObject()
                while try reader.nextKey() {
                    let tensor = reader.keyText, file = try reader.string()
                    // The index may come from anywhere: it names files of its own folder and no others.
                    guard !file.isEmpty, !file.contains("/"), !file.contains("\\"), !file.hasPrefix("."), file.hasSuffix(".safetensors")
                    else {
                        throw FormatError(
                            .malformed, file: path, place: tensor, "\(clipped(file)) is not the plain name of a safetensors file")
                    }
                    guard map.updateValue(file, forKey: tensor) == nil else {
                        throw FormatError(.malformed, file: path, place: tensor, "is given twice")
                    }
                }
            }
            try reader.finish()
        } catch let error as FormatError {
            throw error
        } catch {
            throw FormatError(.malformed, file: path, "\(error)")
        }
        guard !map.isEmpty else { throw FormatError(.missing, file: path, place: "/weight_map", "names no tensor") }
        return map
    }
}
