import Blobs
import Foundation
import IngestDomain
import IngestParsing
import JSON
import Licences

/// Gives everything that reads what people upload inputs that are nearly right. Whatever comes of one is rows or a refusal: never a
/// trap, never an endless loop, and the same whatever pieces it comes in.
public struct IngestFuzz: Sendable {
    /// The readers.
    public enum Target: String, CaseIterable, Sendable {
        case jsonl, csv, txt, html, docx, pdf, media, columns, manifest, item, licence
    }

    /// What was found wrong with an input.
    public struct Finding: Error, CustomStringConvertible {
        /// The target, what is wrong, and the input.
        public let description: String
    }

    private let reader = DocumentReader(isConfined: false)
    private let scanner = SecretScanner()

    /// Ready to begin.
    public init() {}

    /// One input for a target, and what its reader says.
    /// - Returns: whether it was taken in part or as a whole.
    /// - Throws: ``Finding``.
    public func once(_ target: Target, _ random: inout some RandomNumberGenerator) async throws -> Bool {
        switch target {
        case .jsonl: return try await rows(Self.mutated(Seeds.jsonl, &random), .jsonl, &random)
        case .csv: return try await rows(Self.mutated(Seeds.csv, &random), .csv, &random)
        case .txt: return try await rows(Self.mutated(Seeds.txt, &random), Bool.random(using: &random) ? .txt : .md, &random)
        case .html: return try await rows(Self.mutated(Seeds.html, &random), .html, &random)
        case .docx:
            // Half of the faults are in the package, and half in the part within it.
            let isPart = Bool.random(using: &random)
            let bytes = isPart ? Package.stored(Self.mutated(Seeds.xml, &random)) : Self.mutated(Seeds.docx, &random)
            return try await rows(bytes, .docx, &random)
        case .pdf: return try await rows(Self.mutated(Seeds.pdf, &random), .pdf, &random)
        case .media: return try media(&random)
        case .columns: return try parsed(Self.mutated(Seeds.columns, &random)) { _ = try ColumnMap(try $0.object()).json }
        case .manifest:
            return try parsed(Self.mutated(Seeds.manifest, &random)) { value in
                let manifest = try Manifest(try value.object())
                guard try Manifest(try JSON.parse(try manifest.canonical()).object()) == manifest else {
                    throw Finding(description: "manifest: \(manifest) is read otherwise from what it is written as")
                }
            }
        case .item: return (try? ItemContent(Self.mutated(Seeds.item, &random))) != nil
        case .licence:
            let text = String(decoding: Self.mutated(Seeds.licence, &random), as: UTF8.self)
            guard let expression = try? LicenceExpression(text) else { return false }
            guard let again = try? LicenceExpression(expression.description), again.description == expression.description else {
                throw Finding(description: "licence: \(text) is read as \(expression), which is not")
            }
            return true
        }
    }

    /// Rows of a file, read in pieces of two sizes; each row goes through screening.
    private func rows(_ bytes: [UInt8], _ format: DocumentFormat, _ random: inout some RandomNumberGenerator) async throws -> Bool {
        let whole = try await read(bytes, format, piece: max(1, bytes.count))
        if format != .pdf {
            let cut = try await read(bytes, format, piece: Int.random(in: 1...97, using: &random))
            guard whole == cut else {
                throw Finding(description: "\(format) is read otherwise in pieces: \(Data(bytes).base64EncodedString())")
            }
        }
        var session = ScreeningSession()
        for (number, row) in whole.enumerated() {
            guard case .content(let content) = row else { continue }
            let inspection = try ItemInspection(content, licence: "MIT", policy: ScreeningPolicy(), scanner: scanner)
            _ = session.judge("ct.\(number)", inspection)
        }
        return whole.contains { if case .content = $0 { true } else { false } }
    }

    private func read(_ bytes: [UInt8], _ format: DocumentFormat, piece: Int) async throws -> [ParsedRow] {
        let parts = stride(from: 0, to: bytes.count, by: piece).map { BlobBytes(Array(bytes[$0..<min($0 + piece, bytes.count)])) }
        var rows: [ParsedRow] = []
        do {
            try await reader.read(BlobBytes(concatenating: parts), format: format, file: "f", columns: .standard) { rows += $0 }
        } catch let error as ParsingError {
            if case .noReader = error { throw error }
            rows.append(.refused(RefusedRow(file: "f", row: 0, code: .malformed, reason: "\(error)", beginning: [])))
        }
        return rows
    }

    private func media(_ random: inout some RandomNumberGenerator) throws -> Bool {
        let seed = Seeds.media[Int.random(in: 0..<Seeds.media.count, using: &random)].1
        let bytes = Self.mutated(seed, &random)
        let count = Bool.random(using: &random) ? bytes.count : Int.random(in: 0...Manifest.mostBytes, using: &random)
        var sample = FileSample(head: bytes, tail: bytes, count: count)
        if let part = MediaFacts.missingPart(of: sample) { sample.add(bytes, at: part.lowerBound) }
        guard let facts = MediaFacts(sample) else { return false }
        _ = facts.isCutOff(sample)
        for value in [facts.width, facts.height, facts.sampleRate, facts.channels, facts.duration] {
            if let value, value < 0 { throw Finding(description: "media: \(facts) of \(Data(bytes).base64EncodedString())") }
        }
        _ = try JSON.canonical(facts.json, allowFractions: false)
        return true
    }

    private func parsed(_ bytes: [UInt8], _ read: (JSONValue) throws -> Void) throws -> Bool {
        guard let value = try? JSON.parse(bytes) else { return false }
        do { try read(value) } catch let finding as Finding { throw finding } catch { return false }
        return true
    }

    /// A seed with up to four faults.
    static func mutated(_ seed: [UInt8], _ random: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let index = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<9, using: &random) {
            case 0: if index < bytes.count { bytes[index] = UInt8.random(in: 0...255, using: &random) }
            case 1: if index < bytes.count { bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random) }
            case 2: if index < bytes.count { bytes.remove(at: index) }
            case 3, 4, 5: bytes.insert(contentsOf: Seeds.pieces[Int.random(in: 0..<Seeds.pieces.count, using: &random)], at: index)
            case 6:
                let end = min(bytes.count, index + Int.random(in: 0...64, using: &random))
                let part = Array(bytes[index..<end])
                for _ in 0..<Int.random(in: 1...20, using: &random) { bytes.insert(contentsOf: part, at: index) }
            case 7: bytes.removeLast(bytes.count - index)
            default:
                let end = min(bytes.count, index + Int.random(in: 0...12, using: &random))
                bytes.removeSubrange(index..<end)
            }
        }
        return bytes
    }
}
