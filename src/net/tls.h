#pragma once
#include "base/result.h"

#include <memory>
#include <string>

namespace watchpost::net {

// What a server shows of itself under TLS: its certificates and their key. TLS 1.2 and 1.3, without
// compression and renegotiation.
//   Threads: any.
class TlsIdentity {
 public:
  // Two PEM files: the server's certificate and what leads to its root, and the key, which must
  // fit.
  static Result<std::shared_ptr<const TlsIdentity>> load(const std::string& certificate_file,
                                                         const std::string& key_file);
  ~TlsIdentity();

  struct Context;  // holds the context of Boost.Asio
  Context& context() const { return *context_; }

 private:
  explicit TlsIdentity(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

}  // namespace watchpost::net
