internal import Crypto

/// Typed structured data to be signed (EIP-712), for structures whose members all are words.
public enum TypedData {
    /// A structure's hash: Keccak-256 of its type's hash and its members, each a word.
    /// - Parameter type: as EIP-712 writes it, with the types that it names behind it.
    public static func hash(_ type: String, _ members: [Word]) -> Word {
        digest([digest(Array(type.utf8))] + members)
    }

    /// The hash of a domain: whose signatures these are.
    /// - Parameter version: nil where the contract's domain has none.
    public static func domain(name: String, version: String?, chainID: UInt64, contract: EVMAddress) -> Word {
        let text = { (text: String) in digest(Array(text.utf8)) }
        let chain = Word(UInt128(chainID))
        guard let version else {
            return hash("EIP712Domain(string name,uint256 chainId,address verifyingContract)", [text(name), chain, Word(contract)])
        }
        return hash(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
            [text(name), text(version), chain, Word(contract)])
    }

    /// What is signed.
    public static func digest(domain: Word, structure: Word) -> [UInt8] { Keccak256.hash([0x19, 0x01] + domain.bytes + structure.bytes) }

    private static func digest(_ words: [Word]) -> Word { digest(words.flatMap(\.bytes)) }

    private static func digest(_ bytes: [UInt8]) -> Word { Word(Keccak256.hash(bytes)) ?? Word(0) }
}

/// Texts that wallets sign (EIP-191, version 0x45).
public enum PersonalMessage {
    /// What is signed for a text.
    public static func digest(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return Keccak256.hash([0x19] + Array("Ethereum Signed Message:\n\(bytes.count)".utf8) + bytes)
    }
}
