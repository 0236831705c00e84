internal import Crypto

extension EvidenceForm {
    static func digest(_ bytes: [UInt8]) -> Digest { SHA256.hash(bytes) }
}
