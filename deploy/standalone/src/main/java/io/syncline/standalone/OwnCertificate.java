package io.syncline.standalone;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.web.server.Ssl;
import org.springframework.boot.web.server.WebServerSslBundle;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;
import org.springframework.context.ApplicationContext;

/** What the gateway proves itself with where it speaks TLS: the one certificate that we, its first callers, trust. */
record OwnCertificate(X509Certificate certificate) {

    /** The kinds of subject alternative names that are hosts: dNSName and iPAddress of RFC 5280. */
    private static final List<Integer> HOSTS = List.of(2, 7);

    /** Null where the gateway speaks no TLS. */
    static @Nullable OwnCertificate of(ApplicationContext gateway) throws GeneralSecurityException {
        Ssl ssl = gateway.getBean(ServerProperties.class).getSsl();
        if (ssl == null || !Ssl.isEnabled(ssl)) {
            return null;
        }
        SslBundle bundle = WebServerSslBundle.get(ssl, gateway.getBean(SslBundles.class));
        KeyStore keys = Objects.requireNonNull(bundle.getStores().getKeyStore(), "server.ssl names no key store");
        String alias = bundle.getKey().getAlias();
        for (String name : Collections.list(keys.aliases())) {
            Certificate certificate = keys.getCertificate(name);
            if ((alias == null || alias.equals(name)) && keys.isKeyEntry(name)
                    && certificate instanceof X509Certificate own) {
                return new OwnCertificate(own);
            }
        }
        throw new CertificateException("server.ssl names no certificate");
    }

    /** Trusts this certificate whatever host it names: we know whom we call. */
    SSLContext trusted() throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[]{new OnlyThis(certificate)}, null);
        return context;
    }

    boolean names(String host) throws CertificateParsingException {
        Collection<List<?>> names = certificate.getSubjectAlternativeNames();
        return names != null && names.stream()
                .anyMatch(name -> name.get(0) instanceof Integer kind && HOSTS.contains(kind)
                        && name.get(1) instanceof String named && named.equalsIgnoreCase(host));
    }

    String pem() throws CertificateEncodingException {
        return "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder(64, new byte[]{'\n'}).encodeToString(certificate.getEncoded())
                + "\n-----END CERTIFICATE-----\n";
    }

    /** Extended, since the JDK asks any other for the host's name besides. */
    private static final class OnlyThis extends X509ExtendedTrustManager {

        private final X509Certificate only;

        OnlyThis(X509Certificate only) {
            this.only = only;
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind) throws CertificateException {
            if (chain.length == 0 || !chain[0].equals(only)) {
                throw new CertificateException("another certificate than server.ssl names");
            }
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket)
                throws CertificateException {
            checkServerTrusted(chain, kind);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
                throws CertificateException {
            checkServerTrusted(chain, kind);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind) throws CertificateException {
            throw new CertificateException("nobody calls us here");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket)
                throws CertificateException {
            checkClientTrusted(chain, kind);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
                throws CertificateException {
            checkClientTrusted(chain, kind);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[]{only};
        }
    }
}
