public import Engine
import Foundation
import JSON

/// The engine's scores beside those of reference implementations for the same gradients: a folder with the gradients, the eigenbases and
/// the scores that each method must give.
public enum ReferenceScores {
    /// Why the folder cannot be used.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// Adds a line for each method: how far off it is, as a part of the largest magnitude that is due.
    public static func compare(_ folder: String, pool: ComputePool, into table: inout EvaluationTable) throws {
        func array(_ name: String) throws -> NumpyArray { try NumpyArray(path: folder + "/" + name + ".npy") }
        guard let bytes = FileManager.default.contents(atPath: folder + "/meta.json") else {
            throw Unusable(description: "\(folder) has no meta.json")
        }
        let layout = try JSON.parse([UInt8](bytes), limits: JSONLimits(bytes: 16 << 20)).object().array("layout").map { try $0.object() }
        let training = try array("G_train"), queries = try array("G_query")
        let dimension = training.shape.last ?? 0
        let tensors = try layout.map { tensor in
            let start = try tensor.int("offset", in: 0...dimension)
            return start..<start + (try tensor.int("size", in: 1...dimension))
        }
        let dataInf = try DataInf.scores(
            training: training.values, queries: queries.values, tensors: tensors, dimension: dimension, pool: pool)
        table.add(
            "DataInf, difference from the reference's scores",
            difference(dataInf.map(Float.init), try array("expected_datainf_lam0.1").values), atMost: 1e-5)
        let bases = try layout.map { tensor in
            let prefix = "ekfac_" + (try tensor.string("name")).split(separator: ".").joined(separator: "_")
            return EigenScores.Basis(
                offset: try tensor.int("offset", in: 0...dimension), rows: try tensor.int("rows", in: 1...dimension),
                columns: try tensor.int("cols", in: 1...dimension), left: try array(prefix + "_Qg").values,
                right: try array(prefix + "_Qa").values, eigenvalues: try array(prefix + "_lam").values)
        }
        let ekfac = try EigenScores.scores(
            training: training.values, queries: queries.values, bases: bases, dimension: dimension, pool: pool)
        table.add(
            "EK-FAC, difference from the reference's scores", difference(ekfac, try array("expected_ekfac_damp0.1").values), atMost: 1e-4)
    }

    /// The largest difference, as a part of the largest magnitude that is due.
    private static func difference(_ found: [Float], _ expected: [Float]) -> Double {
        guard found.count == expected.count, !expected.isEmpty else { return .infinity }
        let largest = expected.reduce(0) { max($0, abs($1)) }
        return zip(found, expected).reduce(0.0) { max($0, Double(abs($1.0 - $1.1))) } / Double(largest)
    }
}

/// Numbers of a `.npy` file (NumPy's format, version 1): binary32 or binary64, row by row.
struct NumpyArray {
    let values: [Float]
    let shape: [Int]

    init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ReferenceScores.Unusable(description: "\(path) cannot be read")
        }
        guard data.count >= 10, data.prefix(6) == Data([0x93] + Array("NUMPY".utf8)), data[6] == 1 else {
            throw ReferenceScores.Unusable(description: "\(path) is no array of version 1")
        }
        let start = 10 + Int(data[8]) + Int(data[9]) << 8
        let header = String(decoding: data[10..<min(start, data.count)], as: UTF8.self)
        let width = header.contains("<f8") ? 8 : 4
        guard header.contains("<f8") || header.contains("<f4"), header.contains("'fortran_order': False"),
            let open = header.firstIndex(of: "("), let close = header[open...].firstIndex(of: ")")
        else { throw ReferenceScores.Unusable(description: "\(path) holds no numbers row by row") }
        shape = header[header.index(after: open)..<close].split(separator: ",").compactMap { Int($0.filter { !$0.isWhitespace }) }
        let count = shape.reduce(1, *)
        guard data.count == start + width * count else { throw ReferenceScores.Unusable(description: "\(path) is cut short") }
        values = data.withUnsafeBytes { bytes in
            (0..<count).map { index in
                width == 8
                    ? Float(bytes.loadUnaligned(fromByteOffset: start + index * 8, as: Double.self))
                    : bytes.loadUnaligned(fromByteOffset: start + index * 4, as: Float.self)
            }
        }
    }
}
