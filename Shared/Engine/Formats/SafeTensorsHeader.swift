internal import JSON

/// The header of a safetensors file, read from bytes that may be anybody's.
///
/// The format (huggingface/safetensors, README "Format"): 8 bytes little-endian N; N bytes of JSON that begin with `{`, an object
/// from names to `{dtype, shape, data_offsets}` and, under `__metadata__`, texts; then the data. Offsets are counted from the
/// end of the header; the tensors must cover the data exactly, with neither hole nor overlap.
struct SafeTensorsHeader: Sendable {
    /// In the order of their places in the file.
    let tensors: [TensorInfo]
    let metadata: [String: String]
    /// Where the data begins in the file.
    let dataStart: Int

    init(file: String, bytes: UnsafeRawBufferPointer, limits: SafeTensorsLimits) throws(FormatError) {
        guard bytes.count >= 8 else {
            throw FormatError(
                .malformed, file: file, "has \(bytes.count) bytes; a safetensors file begins with the 8 of its header's length")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(limits.headerBytes) else {
            throw FormatError(.tooLarge, file: file, "announces a header of \(length) bytes; at most \(limits.headerBytes) are read")
        }
        guard Int(length) <= bytes.count - 8 else {
            throw FormatError(.malformed, file: file, "announces a header of \(length) bytes and has only \(bytes.count - 8) after that")
        }
        dataStart = 8 + Int(length)
        guard length >= 2, bytes[8] == UInt8(ascii: "{") else {
            throw FormatError(.malformed, file: file, "its header does not begin with {: this is no safetensors file")
        }
        let parser = SafeTensorsHeaderParser(file: file, limits: limits)
        (tensors, metadata) = try parser.parse(Array(bytes[8..<dataStart]))
        try Self.checkCover(tensors, dataBytes: bytes.count - dataStart, file)
    }

    /// Tensors in order must tile the data: anything else is a file that was cut, glued, or made to confuse readers.
    private static func checkCover(_ tensors: [TensorInfo], dataBytes: Int, _ file: String) throws(FormatError) {
        var end = 0
        for tensor in tensors {
            guard tensor.range.upperBound <= dataBytes else {
                throw FormatError(
                    .malformed, file: file, place: tensor.name,
                    "its bytes end at \(tensor.range.upperBound), beyond the \(dataBytes) that the file holds: was the download cut short?")
            }
            guard tensor.range.lowerBound >= end else {
                throw FormatError(
                    .malformed, file: file, place: tensor.name,
                    "its bytes begin at \(tensor.range.lowerBound), within another tensor, which ends at \(end)")
            }
            guard tensor.range.lowerBound == end else {
                throw FormatError(
                    .malformed, file: file, place: tensor.name,
                    "its bytes begin at \(tensor.range.lowerBound) and the ones before end at \(end): there is a hole between")
            }
            end = tensor.range.upperBound
        }
        guard end == dataBytes else {
            throw FormatError(.malformed, file: file, "\(dataBytes - end) bytes at its end belong to no tensor")
        }
    }
}
