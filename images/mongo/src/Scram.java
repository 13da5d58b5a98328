package portals.mongo;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;

import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) for the only user. */
final class Scram {

    static final String MECHANISM = "SCRAM-SHA-256";

    /** Refused. The client does not learn why. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /** MongoDB's own default. */
    private static final int ITERATIONS = 15_000;
    private static final int SALT_BYTES = 28;
    private static final int NONCE_BYTES = 24;
    /** "n,,": no channel binding, because there is no TLS; "y,,": the client supports it, but the server does not. */
    private static final String[] HEADERS = {"n,,", "y,,"};
    private static final int LONGEST = 1024;

    private final SecureRandom random = new SecureRandom();
    private final String user;
    private final String salt;
    private final byte[] storedKey;
    private final byte[] serverKey;

    /** Each start has a new salt, so that keys computed for an older one are useless. */
    Scram(String user, char[] password) {
        byte[] bytes = new byte[SALT_BYTES];
        random.nextBytes(bytes);
        this.user = user;
        this.salt = Base64.getEncoder().encodeToString(bytes);
        try {
            byte[] salted = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                .generateSecret(new PBEKeySpec(password, bytes, ITERATIONS, 256)).getEncoded();
            this.storedKey = sha256(hmac(salted, "Client Key"));
            this.serverKey = hmac(salted, "Server Key");
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** One attempt to log in. */
    final class Conversation {

        private final String header;
        private final String clientFirst;
        private final String nonce;
        private final String serverFirst;
        private boolean spent;

        /** Reads the client's first message. */
        Conversation(byte[] message) throws Refused {
            String text = text(message);
            header = Arrays.stream(HEADERS).filter(text::startsWith).findFirst().orElseThrow(Refused::new);
            clientFirst = text.substring(header.length());
            String[] parts = clientFirst.split(",", -1);
            if (parts.length != 2 || !same(parts[0], "n=" + user) || !parts[1].startsWith("r=")
                || parts[1].length() < 2 + 16) {
                throw new Refused();
            }
            byte[] own = new byte[NONCE_BYTES];
            random.nextBytes(own);
            nonce = parts[1].substring(2) + Base64.getEncoder().encodeToString(own);
            serverFirst = "r=" + nonce + ",s=" + salt + ",i=" + ITERATIONS;
        }

        /** The server's first message. */
        byte[] challenge() {
            return serverFirst.getBytes(StandardCharsets.UTF_8);
        }

        /** The server's last message. Raises Refused unless the client's last message proves that it knows the password. */
        byte[] answer(byte[] message) throws Refused {
            if (spent) {
                throw new Refused();
            }
            spent = true;
            String text = text(message);
            int end = text.lastIndexOf(",p=");
            String expected = "c=" + Base64.getEncoder().encodeToString(header.getBytes(StandardCharsets.UTF_8))
                + ",r=" + nonce;
            if (end < 0 || !same(text.substring(0, end), expected)) {
                throw new Refused();
            }
            byte[] proof;
            try {
                proof = Base64.getDecoder().decode(text.substring(end + 3));
            } catch (IllegalArgumentException notBase64) {
                throw new Refused();
            }
            String all = clientFirst + "," + serverFirst + "," + expected;
            byte[] key = hmac(storedKey, all);
            if (proof.length != key.length) {
                throw new Refused();
            }
            for (int each = 0; each < key.length; each++) {
                key[each] ^= proof[each];
            }
            if (!MessageDigest.isEqual(sha256(key), storedKey)) {
                throw new Refused();
            }
            return ("v=" + Base64.getEncoder().encodeToString(hmac(serverKey, all))).getBytes(StandardCharsets.UTF_8);
        }
    }

    private static String text(byte[] message) throws Refused {
        if (message.length > LONGEST) {
            throw new Refused();
        }
        return new String(message, StandardCharsets.UTF_8);
    }

    private static boolean same(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
