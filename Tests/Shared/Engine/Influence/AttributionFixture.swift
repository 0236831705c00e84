import Foundation

@testable import Engine

/// Gradients of a tiny model and the scores that each method must give for them; the folder is named by OPENLEDGER_TEST_FIXTURES.
struct AttributionFixture {
    struct Tensor: Decodable {
        let name: String
        let rows: Int
        let cols: Int
        let offset: Int
        let size: Int
    }

    private struct Meta: Decodable { let layout: [Tensor] }

    static var folder: String? {
        ProcessInfo.processInfo.environment["OPENLEDGER_TEST_FIXTURES"].map { $0 + "/attribution" }
            .flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    let folder: String
    let tensors: [Tensor]

    init(_ folder: String) throws {
        self.folder = folder
        let meta = try Data(contentsOf: URL(fileURLWithPath: folder + "/meta.json"))
        tensors = try JSONDecoder().decode(Meta.self, from: meta).layout
    }

    /// The numbers of a float32 or float64 .npy file, row by row.
    func array(_ name: String) throws -> (values: [Float], shape: [Int]) {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name + ".npy"))
        let length = Int(data[8]) | Int(data[9]) << 8
        let header = String(decoding: data[10..<10 + length], as: UTF8.self)
        let shape = header.components(separatedBy: "'shape': (")[1].components(separatedBy: ")")[0]
            .split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        let count = shape.reduce(1, *)
        let isDouble = header.contains("<f8")
        let values = data.withUnsafeBytes { bytes in
            let body = UnsafeRawBufferPointer(rebasing: bytes[(10 + length)...])
            return (0..<count).map { index in
                isDouble
                    ? Float(body.loadUnaligned(fromByteOffset: index * 8, as: Double.self))
                    : body.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
            }
        }
        return (values, shape)
    }
}
