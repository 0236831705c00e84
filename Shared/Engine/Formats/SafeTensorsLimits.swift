/// How much a safetensors file may ask of its reader.
public struct SafeTensorsLimits: Sendable, Hashable {
    /// The header's bytes. The reference implementation allows 100 MB; a model of 100 layers needs some 100 KB.
    public let headerBytes: Int
    /// How many tensors one file may hold.
    public let tensors: Int
    /// How many dimensions a tensor may have.
    public let dimensions: Int

    /// The limits; by default a header of 16 MiB, 100,000 tensors, 8 dimensions.
    public init(headerBytes: Int = 16 << 20, tensors: Int = 100_000, dimensions: Int = 8) {
        self.headerBytes = headerBytes
        self.tensors = tensors
        self.dimensions = dimensions
    }

    /// 16 MiB, 100,000 tensors, 8 dimensions.
    public static let standard = SafeTensorsLimits()
}
