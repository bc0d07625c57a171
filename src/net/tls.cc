#include "net/tls.h"

#include "net/tls_context.h"

#include <utility>

namespace watchpost::net {
namespace {

using boost::asio::ssl::context;
using boost::system::error_code;

std::unexpected<Error> not_usable(std::string_view what, const error_code& error,
                                  const std::string& file) {
  return fail(Code::bad_input, std::string(what) + ": " + error.message(), file);
}

}  // namespace

TlsIdentity::TlsIdentity(std::unique_ptr<Context> context) : context_(std::move(context)) {}
TlsIdentity::~TlsIdentity() = default;

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::load(const std::string& certificate_file,
                                                             const std::string& key_file) {
  auto made = std::make_unique<Context>();
  error_code error;
  made->ssl.set_options(context::default_workarounds | context::no_sslv2 | context::no_sslv3 |
                            context::no_tlsv1 | context::no_tlsv1_1 | context::no_compression,
                        error);
  if (error) return fail(Code::internal, "TLS cannot be set up: " + error.message());
  SSL_CTX_set_options(made->ssl.native_handle(), SSL_OP_NO_RENEGOTIATION);
  made->ssl.use_certificate_chain_file(certificate_file, error);
  if (error) return not_usable("the certificate cannot be used", error, certificate_file);
  made->ssl.use_private_key_file(key_file, context::pem, error);
  if (error) return not_usable("the key cannot be used", error, key_file);
  return std::shared_ptr<const TlsIdentity>(new TlsIdentity(std::move(made)));
}

}  // namespace watchpost::net
