internal import CCurl
internal import HTTP

extension CurlExchange {
    /// Sets the handle up for the request. Returns what libcurl does not accept.
    func prepare(_ options: CurlOptions) -> HTTPClientError? {
        var failed = CURLE_OK
        func check(_ code: CURLcode) {
            if failed == CURLE_OK { failed = code }
        }
        check(ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText))
        prepareConnection(options, check)
        prepareCallbacks(check)
        prepareMessage(options, check)
        guard failed != CURLE_OK else { return nil }
        return .transport(code: Int32(failed.rawValue), text: String(cString: curl_easy_strerror(failed)), sent: false)
    }

    private func prepareConnection(_ options: CurlOptions, _ check: (CURLcode) -> Void) {
        let request = transfer.request
        check(ccurl_set_string(handle, CURLOPT_URL, request.url))
        check(ccurl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https"))
        check(ccurl_set_long(handle, CURLOPT_PATH_AS_IS, 1))
        check(ccurl_set_long(handle, CURLOPT_DISALLOW_USERNAME_IN_URL, 1))
        // An empty name also keeps libcurl from asking the environment for a proxy.
        check(ccurl_set_string(handle, CURLOPT_PROXY, ""))
        // HTTP/2 of the libcurl that Debian 12 has stalls and fails on connections used again.
        check(ccurl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)))
        check(ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1))
        check(ccurl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Int(max(1, request.connectTimeout.milliseconds))))
        check(ccurl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1))
        check(options.refusesPrivateAddresses ? ccurl_public_addresses_alone(handle) : ccurl_close_on_exec(handle))
        check(ccurl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)))
        check(ccurl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 1))
        check(ccurl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 2))
        if let file = options.caFile {
            check(ccurl_set_string(handle, CURLOPT_CAINFO, file))
            check(ccurl_set_string(handle, CURLOPT_CAPATH, nil))
        }
        if let certificate = options.clientCertificate {
            check(ccurl_set_string(handle, CURLOPT_SSLCERT, certificate.certificateFile))
            check(ccurl_set_string(handle, CURLOPT_SSLKEY, certificate.keyFile))
        }
        if !options.unixSockets.isEmpty, let authority = URLParts(request.url)?.authority,
            let path = options.unixSockets[authority]
        {
            check(ccurl_set_string(handle, CURLOPT_UNIX_SOCKET_PATH, path))
        }
    }

    private func prepareMessage(_ options: CurlOptions, _ check: (CURLcode) -> Void) {
        let request = transfer.request
        if let agent = options.userAgent { check(ccurl_set_string(handle, CURLOPT_USERAGENT, agent)) }
        // What libcurl would send of itself and we would not: a field name with nothing behind its colon takes it out.
        if request.headers["Accept"] == nil { append("Accept:", check) }
        switch request.body {
        case .bytes(let bytes):
            let hasLength = !bytes.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method)
            if hasLength {
                check(ccurl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count)))
                bytes.withUnsafeBytes { bytes in
                    // Copied by libcurl; never nil, which would mean the read callback.
                    withUnsafePointer(to: UInt8(0)) { empty in
                        check(ccurl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(empty)))
                    }
                }
                append("Expect:", check)
                if request.headers["Content-Type"] == nil { append("Content-Type:", check) }
            }
        case .stream(_, let length):
            check(ccurl_set_long(handle, CURLOPT_UPLOAD, 1))
            check(ccurl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(length ?? -1)))
            // What is made while it is sent can't be sent twice, and a kept connection may be dying: it gets one of its own.
            check(ccurl_set_long(handle, CURLOPT_FRESH_CONNECT, 1))
            append("Expect:", check)
        }
        if request.method == "HEAD" {
            check(ccurl_set_long(handle, CURLOPT_NOBODY, 1))
        } else if request.method != "GET" || !request.body.isEmpty {
            check(ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method))
        }
        for field in request.headers {
            // A semicolon is libcurl's way to say an empty value.
            append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)", check)
        }
        if let fieldLines { check(ccurl_set_pointer(handle, CURLOPT_HTTPHEADER, fieldLines)) }
    }

    private func append(_ line: String, _ check: (CURLcode) -> Void) {
        guard let longer = curl_slist_append(fieldLines, line) else { return check(CURLE_OUT_OF_MEMORY) }
        fieldLines = longer
    }

    private func prepareCallbacks(_ check: (CURLcode) -> Void) {
        // Not retained: the loop holds the exchange for as long as libcurl holds the handle.
        let me = Unmanaged.passUnretained(self).toOpaque()
        check(ccurl_set_pointer(handle, CURLOPT_PRIVATE, me))
        check(ccurl_set_pointer(handle, CURLOPT_HEADERDATA, me))
        check(ccurl_set_pointer(handle, CURLOPT_WRITEDATA, me))
        check(ccurl_set_pointer(handle, CURLOPT_READDATA, me))
        check(
            ccurl_set_request_callback(
                handle,
                { context, _, _, _, _ in
                    guard let exchange = exchange(context), exchange.beginRequest() else { return CURL_PREREQFUNC_ABORT }
                    return CURL_PREREQFUNC_OK
                }, me))
        check(
            ccurl_set_bytes_callback(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
                guard let exchange = exchange(context) else { return 0 }
                return exchange.receiveHead(buffer(bytes, size * count)) ? size * count : 0
            })
        check(
            ccurl_set_bytes_callback(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                exchange(context)?.receiveBody(buffer(bytes, size * count)) ?? 0
            })
        check(
            ccurl_set_bytes_callback(handle, CURLOPT_READFUNCTION) { bytes, size, count, context in
                exchange(context)?.sendBody(UnsafeMutableRawBufferPointer(start: bytes, count: size * count)) ?? 0
            })
    }
}

private func exchange(_ context: UnsafeMutableRawPointer?) -> CurlExchange? {
    context.map { Unmanaged<CurlExchange>.fromOpaque($0).takeUnretainedValue() }
}

private func buffer(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> UnsafeBufferPointer<UInt8> {
    let raw = UnsafeRawBufferPointer(start: bytes, count: count)
    return raw.bindMemory(to: UInt8.self)
}
