public import Crypto

/// Who sits on a panel: a lot that anybody can draw again.
///
/// Each candidate's ticket is SHA-256(`openledger/panel` LF root LF review LF candidate), the root as 64 hexadecimal digits: the
/// RFC 6962 root of the log just behind the event that opened the review. Nobody knows it before that event is written, and the
/// service has no choice in it. The candidates with the lowest tickets sit. Every candidate has the same chance, and the
/// order in which candidates are listed does not matter.
public enum PanelDraw {
    /// The panel, lowest ticket first.
    /// - Parameter seats: how many; all candidates sit when there are no more.
    public static func panel(root: Digest, review: String, candidates: some Sequence<String>, seats: Int) -> [String] {
        let tickets = Set(candidates).map { (ticket: ticket(root: root, review: review, candidate: $0), candidate: $0) }
        // Equal tickets would be a collision of SHA-256; the name decides even then.
        return tickets.sorted {
            $0.ticket == $1.ticket ? $0.candidate.utf8.lexicographicallyPrecedes($1.candidate.utf8) : $0.ticket < $1.ticket
        }.prefix(max(0, seats)).map(\.candidate)
    }

    static func ticket(root: Digest, review: String, candidate: String) -> Digest {
        SHA256.hash(utf8: "openledger/panel\n\(root.hex)\n\(review)\n\(candidate)")
    }
}
