public import Blobs
internal import HTTP
public import Web

/// A full disk is told to who wants to bring something in; all else that a store says is the operator's.
extension BlobError: SometimesProblem {
    /// `unavailable`, where there is no room left.
    public var problemIfAny: Problem? {
        guard case .full = self else { return nil }
        return Problem(
            .unavailable, "there is no room to keep this now; nothing of it was kept. Try again later", headers: ["Retry-After": "60"])
    }
}
