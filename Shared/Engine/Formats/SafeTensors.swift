/// A safetensors file, mapped into memory: its tensors by name, converted when they are asked for.
///
/// Opening reads the header alone, however large the file. Every tensor's place is checked then, so that reading one later
/// cannot leave the file.
public final class SafeTensors: Sendable {
    /// Where the file is.
    public let path: String
    /// Its tensors in the order of their places in the file.
    public let tensors: [TensorInfo]
    /// The texts under `__metadata__`.
    public let metadata: [String: String]

    private let file: MappedFile
    private let dataStart: Int
    private let indexes: [String: Int]

    /// Opens a file. It must not be changed in place while it is open; replacing it by a rename is safe.
    public init(path: String, limits: SafeTensorsLimits = .standard) throws(FormatError) {
        let file = try MappedFile(path: path)
        let header = try file.withUnsafeBytes { (bytes) throws(FormatError) in
            try SafeTensorsHeader(file: path, bytes: bytes, limits: limits)
        }
        self.path = path
        self.file = file
        tensors = header.tensors
        metadata = header.metadata
        dataStart = header.dataStart
        indexes = Dictionary(uniqueKeysWithValues: header.tensors.enumerated().map { ($1.name, $0) })
    }

    /// The tensor of that name, if the file has it.
    public func tensor(_ name: String) -> StoredTensor? {
        indexes[name].map { StoredTensor(info: tensors[$0], file: file, offset: dataStart + tensors[$0].range.lowerBound) }
    }
}
