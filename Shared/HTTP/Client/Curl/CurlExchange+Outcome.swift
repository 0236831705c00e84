internal import CCurl

extension CurlExchange {
    /// What libcurl's result means to the caller.
    func outcome(_ code: CURLcode) -> Result<Void, HTTPClientError> {
        if let refusal { return .failure(refusal) }
        // A server that answers early may be gone before the whole body is out: its answer counts all the same.
        if [CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND].contains(code), hasWholeEarlyAnswer { return .success(()) }
        guard code == CURLE_OK else { return .failure(error(code)) }
        // libcurl is content with an answer that ends within its head.
        guard head.isComplete else { return .failure(transportError(CURLE_GOT_NOTHING, "\(server): the answer ended within its head")) }
        return .success(())
    }

    private func error(_ code: CURLcode) -> HTTPClientError {
        let text = "\(server): \(reason(code))"
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: return .resolveFailed(text)
        case CURLE_COULDNT_CONNECT: return .connectFailed(text)
        // The only limit that is libcurl's to watch; the others are the loop's.
        case CURLE_OPERATION_TIMEDOUT: return .timedOut(.connect, server: server, sent: attempts > 0)
        // Once a request is under way these speak of the answer.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED:
            return attempts == 0 ? .invalidRequest(text) : transportError(code, text)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_INITFAILED:
            return attempts == 0 ? .tls(text) : transportError(code, text)
        default: return transportError(code, text)
        }
    }

    private func transportError(_ code: CURLcode, _ text: String) -> HTTPClientError {
        .transport(code: Int32(code.rawValue), text: text, sent: attempts > 0)
    }

    private func reason(_ code: CURLcode) -> String {
        let detail = String(cString: errorText)
        return detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
    }
}
