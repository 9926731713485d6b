//! Connections to a port of a pod, as `kubectl port-forward` has them. All that is in them gets there, headers about
//! passwords too, which the API server's proxy keeps to itself.

use std::net::SocketAddr;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::chain::chain;

/// Listens on loopback, until the process ends.
pub(super) async fn listen(pods: Api<Pod>, pod: String, port: u16) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (pods, pod) = (pods.clone(), pod.clone());
            tokio::spawn(async move {
                // who asks is gone if it can't be told
                let _ = pass(&pods, &pod, port, stream).await;
            });
        }
    });
    Ok(address)
}

/// Until one of the two sides ends it. Who gets nothing from the pod is told why, in HTTP.
async fn pass(pods: &Api<Pod>, pod: &str, port: u16, mut stream: TcpStream) -> std::io::Result<()> {
    let mut forwarded = match pods.portforward(pod, &[port]).await {
        Ok(forwarded) => forwarded,
        Err(error) => return refuse(&mut stream, &chain(&error)).await,
    };
    let (Some(upstream), Some(trouble)) = (forwarded.take_stream(port), forwarded.take_error(port)) else {
        return refuse(&mut stream, "the API server passes no connection on").await;
    };
    let (mut from_client, mut to_client) = stream.split();
    let (mut from_pod, mut to_pod) = tokio::io::split(upstream);
    let ended = tokio::select! {
        asked = tokio::io::copy(&mut from_client, &mut to_pod) => asked.map(Some),
        answered = tokio::io::copy(&mut from_pod, &mut to_client) => answered.map(|bytes| Some(bytes).filter(|bytes| *bytes > 0)),
    };
    if ended?.is_none() {
        let why = trouble.await.unwrap_or_else(|| format!("port {port} of {pod} answers nothing"));
        refuse(&mut to_client, &why).await?;
    }
    Ok(())
}

async fn refuse(to: &mut (impl AsyncWrite + Unpin), why: &str) -> std::io::Result<()> {
    let head = "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length";
    to.write_all(format!("{head}: {}\r\n\r\n{why}\n", why.len() + 1).as_bytes()).await
}
