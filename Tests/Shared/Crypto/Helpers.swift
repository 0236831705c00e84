import Crypto
import Testing

/// Bytes from hexadecimal, blanks between them allowed.
func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex.filter { !$0.isWhitespace })) }

func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }
