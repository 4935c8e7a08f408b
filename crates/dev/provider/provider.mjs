// The provider of NCR accounts in development and tests: a certified implementation of OpenID Connect with a login page of its own.
// Whatever it knows is forgotten when it ends.
//
// node provider.mjs ISSUER CLIENT_SECRET_FILE ORIGIN…

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const [issuer, secretFile, ...origins] = process.argv.slice(2);

// No person has these names. Only the first is linked with an account of the portal.
const PEOPLE = ["ncr-staff-1", "ncr-staff-2"];
const PASSWORD = "ncr-demo-2026";

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: randomBytes(8).toString("hex") };
}

function page(title, body) {
  return `<!doctype html><html lang="ja"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}</html>`;
}

function loginPage(uid, mistake) {
  return page("NCRアカウント（開発用）", `
${mistake ? `<p role="alert">${mistake}</p>` : ""}
<form method="post" action="/interaction/${uid}">
<p><label for="login">NCRアカウント</label> <input id="login" name="login" value="${PEOPLE[0]}"></p>
<p><label for="password">パスワード</label> <input id="password" name="password" type="password" autofocus></p>
<p><button name="what" value="sign-in">サインイン</button>
<button name="what" value="weakly">多要素認証なしでサインイン</button>
<button name="what" value="cancel">キャンセル</button></p>
</form>`);
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "gtol",
      client_secret: readFileSync(secretFile, "utf8").trim(),
      redirect_uris: origins.map((origin) => `${origin}/ncr/callback`),
      post_logout_redirect_uris: origins.map((origin) => `${origin}/signed-out`),
      response_types: ["code"],
      grant_types: ["authorization_code"],
    },
  ],
  jwks: { keys: [signingKey()] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  claims: { openid: ["sub", "amr"], acr: null, auth_time: null, iss: null, sid: null },
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        const button = `<button id="sign-out" type="submit" form="op.logoutForm" name="logout" value="yes">サインアウト</button>`;
        ctx.body = page("NCRアカウント（開発用）のサインアウト", `${form}<p>${button}</p>`);
      },
    },
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // Nobody is asked whether the portal may know who they are.
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
});

async function form(request) {
  let body = "";
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}

provider.use(async (ctx, next) => {
  const [, uid] = ctx.path.match(/^\/interaction\/([\w-]+)$/) ?? [];
  if (!uid) return next();
  await provider.interactionDetails(ctx.req, ctx.res);
  if (ctx.method !== "POST") {
    ctx.body = loginPage(uid);
    return;
  }
  const typed = await form(ctx.req);
  const person = PEOPLE.find((known) => known === typed.get("login"));
  if (typed.get("what") === "cancel") {
    ctx.respond = false;
    await provider.interactionFinished(ctx.req, ctx.res, { error: "access_denied" });
  } else if (!person || typed.get("password") !== PASSWORD) {
    ctx.body = loginPage(uid, "パスワードが正しくありません。");
  } else {
    ctx.respond = false;
    const amr = typed.get("what") === "weakly" ? ["pwd"] : ["pwd", "mfa"];
    await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: person, amr } }, { mergeWithLastSubmission: false });
  }
});

// For the test that looks for them where they must not be.
provider.on("grant.success", (ctx) => console.log(JSON.stringify({ code: ctx.oidc.params.code, ...ctx.body })));
provider.on("server_error", (_ctx, error) => console.error(error));
provider.listen(new URL(issuer).port, "127.0.0.1");
