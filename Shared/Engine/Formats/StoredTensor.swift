/// One tensor of an open safetensors file. Keeps the file mapped as long as it lives; copying it copies no numbers.
public struct StoredTensor: Sendable {
    /// Its name, type and shape.
    public let info: TensorInfo
    private let file: MappedFile
    private let offset: Int

    init(info: TensorInfo, file: MappedFile, offset: Int) {
        self.info = info
        self.file = file
        self.offset = offset
    }

    /// The file that it stands in.
    public var path: String { file.path }

    /// Lends the stored bytes, little-endian, not necessarily aligned to the type's size; they must not be kept.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let range = offset..<offset + info.range.count
        return try file.withUnsafeBytes { (bytes) throws(Failure) in try body(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }

    /// Throws unless the tensor has this shape.
    public func requireShape(_ shape: [Int]) throws(FormatError) {
        guard info.shape == shape else {
            throw FormatError(
                .mismatch, file: file.path, place: info.name, "has shape \(info.shape), and the configuration asks for \(shape)")
        }
    }

    /// All numbers as singles. An int8 is given as it stands, without any scale.
    /// - Parameter shape: when given, the shape it must have.
    public func floats(shape: [Int]? = nil) throws(FormatError) -> [Float] {
        if let shape { try requireShape(shape) }
        var values = [Float](repeating: 0, count: info.count)
        var fault: FormatError?
        values.withUnsafeMutableBufferPointer { out in
            do throws(FormatError) { try copy(into: out) } catch { fault = error }
        }
        if let fault { throw fault }
        return values
    }

    /// Writes all numbers as singles into memory of exactly as many.
    public func copy(into out: UnsafeMutableBufferPointer<Float>) throws(FormatError) {
        guard out.count == info.count else {
            throw FormatError(.mismatch, file: file.path, place: info.name, "has \(info.count) numbers, and there is room for \(out.count)")
        }
        try withUnsafeBytes { (bytes) throws(FormatError) in
            switch info.type {
            case .float32:
                for index in out.indices {
                    out[index] = Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self)))
                }
            case .bfloat16:
                for index in out.indices {
                    out[index] = FloatFormats.single(
                        bfloat16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self)))
                }
            case .float16:
                for index in out.indices {
                    out[index] = FloatFormats.single(
                        float16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self)))
                }
            case .int8:
                for index in out.indices { out[index] = Float(Int8(bitPattern: bytes[index])) }
            default:
                throw FormatError(
                    .unsupported, file: file.path, place: info.name,
                    "is \(info.type.rawValue); read are F32, F16, BF16 and I8: convert the model first")
            }
        }
    }
}
